/**
 * A connection in memory that behaves as TCP does: ordered, delayed, of a limited rate, cut into
 * chunks at random places, with a window that fills when the receiver does not read.
 */
import type { Connection, ConnectionEvents } from '../engine/index.ts';
import { type Random, randomInt } from '../units/index.ts';
import type { Trace } from './trace.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Bytes a path takes before the receiver has read any. */
const WINDOW_BYTES = 256 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

/** One direction of a connection. */
export interface Path {
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** It breaks when so many bytes have gone through. */
  bytesLeft: number;
}

/** What a connection needs of its network. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly trace: Trace;
  isCut(one: string, other: string): boolean;
  departure(host: string, size: number, lineFreeAt: number): number;
  forget(end: ConnectionEnd): void;
}

interface Written {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | null;
}

/** One side of a connection. */
export class ConnectionEnd implements Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  readonly isOutbound: boolean;
  events: ConnectionEvents | null = null;
  isClosed = false;
  queuedBytes = 0;
  readonly #network: Surroundings;
  #other: ConnectionEnd | null = null;
  #path: Path = { latencyMs: 0, jitterMs: 0, bytesLeft: Infinity };
  readonly #queue: Written[] = [];
  #offset = 0;
  #inFlight = 0;
  #lineFreeAt = 0;
  #lastArrivalAt = 0;
  #isPaused = false;
  readonly #unread: Uint8Array[] = [];
  /** What has been sent and has not arrived, in order. */
  readonly #onLine: (() => void)[] = [];
  /** What would have arrived during a partition. */
  readonly #held: (() => void)[] = [];

  constructor(
    network: Surroundings,
    who: { host: string; port: number; localHost: string; isOutbound: boolean },
  ) {
    this.#network = network;
    this.remoteHost = who.host;
    this.remotePort = who.port;
    this.localHost = who.localHost;
    this.isOutbound = who.isOutbound;
  }

  join(other: ConnectionEnd, path: Path): void {
    this.#other = other;
    this.#path = path;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.isClosed) {
      done?.();
      return;
    }
    for (const [nth, part] of parts.entries()) {
      const isLast = nth === parts.length - 1;
      this.#queue.push({ bytes: part, done: isLast ? (done ?? null) : null });
      this.queuedBytes += part.length;
    }
    this.#pump();
  }

  pauseReading(): void {
    this.#isPaused = true;
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.#network.clock.after(0, () => this.#readAll());
  }

  close(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { clock, trace } = this.#network;
    this.#network.forget(this);
    trace.record(`close ${this.localHost} ${this.remoteHost} ${reason}`, clock.now);
    clock.after(0, () => {
      for (const { done } of this.#queue.splice(0)) done?.();
      this.events?.onClosed(reason);
    });
    // What is on the line arrives before the end of the stream.
    const onLineMs = Math.max(0, this.#lineFreeAt - clock.now) + this.#path.latencyMs;
    const delayMs = Math.max(onLineMs, this.#lastArrivalAt - clock.now);
    this.#putOnLine(delayMs, () => this.#other?.close('the peer hung up'));
  }

  /** Something comes in, or waits for the partition to heal. */
  arrive(action: () => void): void {
    if (this.#held.length > 0 || this.#network.isCut(this.localHost, this.remoteHost)) {
      this.#held.push(action);
    } else action();
  }

  /** A partition has healed, perhaps not the one between these two. */
  release(): void {
    if (this.#network.isCut(this.localHost, this.remoteHost)) return;
    for (const action of this.#held.splice(0)) action();
  }

  onRead(size: number): void {
    this.#inFlight -= size;
    this.#network.clock.after(this.#path.latencyMs, () => this.#pump());
  }

  receive(chunk: Uint8Array): void {
    this.#unread.push(chunk);
    this.#readAll();
  }

  /** Puts written bytes on the line while the window allows. */
  #pump(): void {
    const { clock } = this.#network;
    const wasQueued = this.queuedBytes > 0;
    while (!this.isClosed && this.#other && this.#inFlight < WINDOW_BYTES) {
      const next = this.#queue[0];
      if (!next) break;
      this.#sendChunk(next);
      if (this.#path.bytesLeft <= 0) {
        this.close('the connection broke');
        return;
      }
      if (this.#offset === next.bytes.length) {
        this.#offset = 0;
        this.#queue.shift();
        if (next.done) clock.after(0, next.done);
      }
    }
    if (!wasQueued || this.queuedBytes > 0) return;
    clock.after(0, () => {
      if (!this.isClosed) this.events?.onDrain();
    });
  }

  #sendChunk(next: Written): void {
    const { clock, random } = this.#network;
    const path = this.#path;
    const wanted = Math.min(
      next.bytes.length - this.#offset,
      1 + randomInt(random, CHUNK_BYTES_MAX),
    );
    const size = Math.min(wanted, path.bytesLeft);
    const chunk = next.bytes.slice(this.#offset, this.#offset + size);
    path.bytesLeft -= size;
    this.#offset += size;
    this.queuedBytes -= size;
    this.#inFlight += size;
    this.#lineFreeAt = this.#network.departure(this.localHost, size, this.#lineFreeAt);
    const lateMs = path.jitterMs > 0 ? random() * path.jitterMs : 0;
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#lineFreeAt + path.latencyMs + lateMs);
    this.#putOnLine(this.#lastArrivalAt - clock.now, () => this.#other?.receive(chunk));
  }

  /** What is due at the same time arrives in the order it was sent, whatever the rounding. */
  #putOnLine(delayMs: number, action: () => void): void {
    this.#onLine.push(action);
    this.#network.clock.after(delayMs, () => {
      const next = this.#onLine.shift();
      if (next) this.#other?.arrive(next);
    });
  }

  #readAll(): void {
    const { clock, trace } = this.#network;
    while (!this.#isPaused && !this.isClosed) {
      const chunk = this.#unread.shift();
      if (!chunk) return;
      const [first = 0, second = 0, third = 0, fourth = 0] = chunk.subarray(0, 4);
      const head = first * 0x10000 + second * 0x100 + third + fourth;
      trace.record(`${this.remoteHost} ${this.localHost}`, clock.now, chunk.length, head);
      this.#other?.onRead(chunk.length);
      this.events?.onBytes(chunk);
      // Views are borrowed: whoever kept one finds other bytes there.
      chunk.fill(0xee);
    }
  }
}
