/**
 * Datagrams between hosts on a virtual clock: delayed, through a queue of limited rate and length,
 * lost, doubled and out of order as chance has it.
 */
import type { PeerAddress } from '../engine/index.ts';
import type { Random } from '../units/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

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

  constructor(clock: VirtualClock, random: Random, options: Partial<WayOptions> = {}) {
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
    if (wait > 0 && (wait * bytesPerSecond) / 1000 > queueBytes) {
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

/** A datagram on its way. */
export interface Datagram {
  readonly packet: Uint8Array;
  readonly from: PeerAddress;
  readonly to: PeerAddress;
}

/** Takes what comes for a host; the packet is its own. */
export type DatagramTaker = (packet: Uint8Array, from: PeerAddress) => void;

/** Routers forget where their hosts have sent something after half a minute. */
const ROUTER_MS = 30_000;

/** Hosts, and a line for what each sends. */
export class DatagramNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #takers = new Map<string, DatagramTaker>();
  readonly #lines = new Map<string, Line>();
  readonly #common: Line;
  /** By hosts behind routers: where they have sent something, and when. */
  readonly #routed = new Map<string, Map<string, number>>();
  /** Every datagram sent, for those who watch. */
  onSent: ((datagram: Datagram) => void) | null = null;

  /** Hosts for which no line is laid send over one of `way` that they share. */
  constructor(clock: VirtualClock, random: Random, way: Partial<WayOptions> = {}) {
    this.clock = clock;
    this.random = random;
    this.#common = new Line(clock, random, way);
  }

  /** What `host` sends goes over a line of its own, or one shared with others. */
  lay(host: string, line: Line): void {
    this.#lines.set(host, line);
  }

  /** `take` gets what is sent to `host` from now on, whatever the port. */
  attach(host: string, take: DatagramTaker): void {
    this.#takers.set(host, take);
  }

  /** Nothing comes to the host any more. */
  detach(host: string): void {
    this.#takers.delete(host);
  }

  /** `host` is behind a router from now on, which lets in only what answers. */
  hide(host: string): void {
    this.#routed.set(host, new Map());
  }

  /** Puts a datagram on its way: a copy, whose sender may be forged. */
  send({ packet, from, to }: Datagram): void {
    const copy = packet.slice();
    this.onSent?.({ packet: copy, from, to });
    this.#routed.get(from.host)?.set(to.host, this.clock.now);
    const line = this.#lines.get(from.host) ?? this.#common;
    line.carry(copy.length, () => {
      // It may come twice: each its own memory.
      if (this.#isLetIn(from, to)) this.#takers.get(to.host)?.(copy.slice(), from);
    });
  }

  #isLetIn(from: PeerAddress, to: PeerAddress): boolean {
    const sentAt = this.#routed.get(to.host);
    return !sentAt || this.clock.now - (sentAt.get(from.host) ?? -Infinity) < ROUTER_MS;
  }
}
