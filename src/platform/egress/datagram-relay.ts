/** Datagrams through the proxy over time: it is asked when there are any, and again later. */
import { encodeSocksDatagram } from '../../wire/index.ts';
import { PlatformError } from '../platform-error.ts';
import { isName } from './tunnel.ts';
import type { DatagramTaker, UdpAssociation } from './udp-association.ts';

/** Who takes what comes. */
export interface RelayListener {
  readonly onDatagram: DatagramTaker;
  /** The proxy carries none: those who wait for an answer need not wait. */
  readonly onRefused?: () => void;
}

/** What a relay needs of the way out. */
export interface RelayDeps {
  readonly associate: (
    onDatagram: DatagramTaker,
    onEnd: () => void,
    signal: AbortSignal,
  ) => Promise<UdpAssociation>;
  /** Nothing is to be sent at the moment. */
  readonly isAway: () => boolean;
}

/** How long is waited; tests wait less. */
export interface RelayWaits {
  /** Before the proxy is asked again after the first end; it doubles … */
  readonly againMs: number;
  /** … to this. */
  readonly againMsMax: number;
  /** Before a proxy that carries no datagrams is asked again whether it does now. */
  readonly refusedMs: number;
}

const WAITS: RelayWaits = { againMs: 1_000, againMsMax: 60_000, refusedMs: 600_000 };

/** Datagrams that wait for the proxy's consent; more are lost, as datagrams are. */
const QUEUE_MAX = 64;

/** A way for datagrams, as good as a socket. `close` it at the end. */
export class DatagramRelay {
  readonly #deps: RelayDeps;
  readonly #listener: RelayListener;
  readonly #waits: RelayWaits;
  readonly #closing = new AbortController();
  #association: UdpAssociation | null = null;
  #isAsking = false;
  #queue: Uint8Array[] = [];
  #timer: NodeJS.Timeout | null = null;
  #waitMs: number;
  #notBefore = 0;
  #refusedUntil = 0;

  constructor(deps: RelayDeps, listener: RelayListener, waits: RelayWaits = WAITS) {
    this.#deps = deps;
    this.#listener = listener;
    this.#waits = waits;
    this.#waitMs = waits.againMs;
  }

  /** The proxy has said no, and is left alone for a while: nothing is sent. */
  get isRefused(): boolean {
    return performance.now() < this.#refusedUntil;
  }

  /** Nothing gets out at the moment. */
  get isDown(): boolean {
    if (this.isRefused || this.#isAsking || this.#deps.isAway()) return true;
    return performance.now() < this.#notBefore;
  }

  /** To a literal address, or to a name that the proxy looks up. What cannot be sent is lost. */
  send(bytes: Uint8Array, host: string, port: number): void {
    if (this.#closing.signal.aborted || this.isRefused || this.#deps.isAway()) return;
    if (!isName(host)) return;
    const datagram = encodeSocksDatagram({ host, port }, bytes);
    if (this.#association) {
      this.#association.send(datagram);
      return;
    }
    if (this.#queue.length < QUEUE_MAX) this.#queue.push(datagram);
    this.#askInTime();
  }

  /** Closing twice is closing once. */
  close(): void {
    this.#closing.abort();
    this.#queue = [];
    if (this.#timer) clearTimeout(this.#timer);
    this.#association?.close();
    this.#association = null;
  }

  #askInTime(): void {
    if (this.#isAsking || this.#timer) return;
    const waitMs = this.#notBefore - performance.now();
    if (waitMs <= 0) {
      void this.#ask();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#ask();
    }, waitMs);
    this.#timer.unref();
  }

  async #ask(): Promise<void> {
    const { signal } = this.#closing;
    this.#isAsking = true;
    // Until it has proven to be of use, the next wait is longer.
    this.#notBefore = 0;
    const onDatagram: DatagramTaker = (bytes, host, port) => {
      this.#waitMs = this.#waits.againMs;
      this.#listener.onDatagram(bytes, host, port);
    };
    try {
      const association = await this.#deps.associate(onDatagram, () => this.#onEnd(), signal);
      this.#isAsking = false;
      if (signal.aborted) {
        association.close();
        return;
      }
      this.#association = association;
      for (const datagram of this.#queue.splice(0)) association.send(datagram);
    } catch (failure) {
      this.#isAsking = false;
      if (signal.aborted) return;
      if (!(failure instanceof PlatformError)) throw failure;
      this.#onEnd();
      if (failure.code !== 'PLATFORM_PROXY_UDP') return;
      this.#refusedUntil = performance.now() + this.#waits.refusedMs;
      this.#listener.onRefused?.();
    }
  }

  #onEnd(): void {
    this.#association = null;
    this.#queue = [];
    this.#notBefore = performance.now() + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, this.#waits.againMsMax);
  }
}
