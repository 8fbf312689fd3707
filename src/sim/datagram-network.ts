/**
 * Datagrams between hosts on a virtual clock: delayed, through a queue of limited rate and length,
 * lost, doubled and out of order as chance has it. Each host's clock has an offset of its own.
 */
import { UtpHost } from '../engine/index.ts';
import { type Random, randomInt } from '../units/index.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Acceptor } from './virtual-network.ts';

/** What happens on the way. Rates in bytes a second, chances from 0 to 1. */
export interface WayOptions {
  readonly latencyMs: number;
  /** Added at random: later packets overtake earlier ones. */
  readonly jitterMs: number;
  readonly loss: number;
  readonly doubling: number;
  readonly bytesPerSecond: number;
  /** What waits for the line at most; more is dropped. */
  readonly queueBytes: number;
}

/** Headers of IP and UDP, which take up the line, too. */
const OVERHEAD_BYTES = 28;
const TICK_MS = 20;

/** A line that all senders share, in one direction. */
export class Line {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly options: WayOptions;
  #freeAt = 0;
  carriedBytes = 0;
  droppedPackets = 0;
  /** Sum and count of waiting times in milliseconds, for means. */
  waitedMs = 0;
  packets = 0;

  constructor(clock: VirtualClock, random: Random, options: Partial<WayOptions>) {
    this.#clock = clock;
    this.#random = random;
    this.options = {
      latencyMs: 10,
      jitterMs: 0,
      loss: 0,
      doubling: 0,
      bytesPerSecond: 10e6,
      queueBytes: 1e6,
      ...options,
    };
  }

  /** How long what is sent now waits. */
  get waitMs(): number {
    return Math.max(0, this.#freeAt - this.#clock.now);
  }

  /** Carries something of `size` bytes; `arrive` is called when it comes, or never, or twice. */
  carry(size: number, arrive: () => void): void {
    const { latencyMs, jitterMs, loss, doubling, bytesPerSecond, queueBytes } = this.options;
    const wait = this.waitMs;
    if ((wait * bytesPerSecond) / 1000 > queueBytes) {
      this.droppedPackets++;
      return;
    }
    this.waitedMs += wait;
    this.packets++;
    const total = size + OVERHEAD_BYTES;
    this.carriedBytes += total;
    this.#freeAt = this.#clock.now + wait + (total * 1000) / bytesPerSecond;
    if (this.#random() < loss) return;
    const copies = this.#random() < doubling ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = jitterMs > 0 ? this.#random() * jitterMs : 0;
      this.#clock.after(this.#freeAt - this.#clock.now + latencyMs + late, arrive);
    }
  }
}

/** A host of the network. */
export interface DatagramHost {
  readonly host: UtpHost;
  readonly address: string;
  readonly port: number;
  /** Sends a datagram of its own making. */
  inject(bytes: Uint8Array, to: DatagramHost): void;
  /** Nothing comes or goes any more. */
  unplug(): void;
}

/** Hosts whose datagrams pass one line there and one line back. */
export class DatagramNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #hosts = new Map<string, (bytes: Uint8Array, host: string, port: number) => void>();
  /** By the sender's address; others use the first. */
  readonly #lines = new Map<string, Line>();
  /** Every datagram sent, for tests that look. */
  onSent: ((bytes: Uint8Array, from: string, to: string) => void) | null = null;

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  /** What `address` sends goes over a line of its own, or one shared with others. */
  lay(address: string, line: Line): void {
    this.#lines.set(address, line);
  }

  add(address: string, accept: Acceptor): DatagramHost {
    const { clock, random } = this;
    const offsetUs = randomInt(random, 2 ** 31) * 4;
    let isPlugged = true;
    const port = 1000;
    const send = (bytes: Uint8Array, to: string): void => {
      if (!isPlugged) return;
      const copy = bytes.slice();
      this.onSent?.(copy, address, to);
      this.#lines.get(address)?.carry(copy.length, () => {
        // A datagram may come twice: each its own memory.
        this.#hosts.get(to)?.(copy.slice(), address, port);
      });
    };
    const host = new UtpHost({
      send,
      nowUs: () => Math.floor(clock.now * 1000) + offsetUs,
      randomNumber: () => randomInt(random, 65536),
      wake: () => clock.after(0, () => host.settle()),
      accept,
    });
    this.#hosts.set(address, (bytes, from, fromPort) => {
      if (isPlugged) host.onDatagram(bytes, from, fromPort);
    });
    const tick = (): void => {
      host.tick();
      clock.after(TICK_MS, tick);
    };
    tick();
    return {
      host,
      address,
      port,
      inject: (bytes, to) => send(bytes, to.address),
      unplug: () => {
        isPlugged = false;
      },
    };
  }
}
