/**
 * Connections in memory that behave as TCP does: ordered, delayed, of a limited rate, cut into
 * chunks at random places, with a window that fills when the receiver does not read.
 */
import { type Random, randomInt } from '../../units/index.ts';
import type { Connection, ConnectionEvents, Dialer } from '../index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Who is asked when somebody connects. */
export type Acceptor = (connection: Connection) => ConnectionEvents;

/** The properties of every path. */
export interface PathOptions {
  readonly latencyMs: number;
  readonly bytesPerSecond: number;
}

/** Bytes a path takes before the receiver has read any. */
const WINDOW_BYTES = 256 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

/** All hosts and the paths between them. */
export class MemoryNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #path: PathOptions;
  readonly #acceptors = new Map<string, Acceptor>();
  readonly #ends = new Set<ConnectionEnd>();
  #nextPort = 40_000;

  constructor(clock: VirtualClock, random: Random, path: Partial<PathOptions> = {}) {
    this.clock = clock;
    this.random = random;
    this.#path = { latencyMs: 10, bytesPerSecond: 20e6, ...path };
  }

  /** Every connection end that is still open. */
  get openEnds(): number {
    return this.#ends.size;
  }

  listen(host: string, port: number, acceptor: Acceptor): void {
    this.#acceptors.set(`${host} ${port}`, acceptor);
  }

  /** The host is gone: nobody can connect to it, and its connections break. */
  cutOff(host: string): void {
    for (const key of [...this.#acceptors.keys()]) {
      if (key.startsWith(`${host} `)) this.#acceptors.delete(key);
    }
    for (const end of [...this.#ends]) if (end.localHost === host) end.close('cut off');
  }

  dialerOf(localHost: string): Dialer {
    return {
      connect: (host, port, events) => this.#connect(localHost, { host, port }, events),
    };
  }

  #connect(
    localHost: string,
    remote: { host: string; port: number },
    events: ConnectionEvents,
  ): Connection {
    const near = new ConnectionEnd(this, { ...remote, localHost, isOutbound: true });
    near.events = events;
    this.#ends.add(near);
    this.clock.after(this.#path.latencyMs * 2, () => {
      const acceptor = this.#acceptors.get(`${remote.host} ${remote.port}`);
      if (near.isClosed) return;
      if (!acceptor) {
        near.close('nobody listens there');
        return;
      }
      const far = new ConnectionEnd(this, {
        host: localHost,
        port: this.#nextPort++,
        localHost: remote.host,
        isOutbound: false,
      });
      this.#ends.add(far);
      near.join(far, this.#path);
      far.join(near, this.#path);
      far.events = acceptor(far);
      near.events?.onOpen();
    });
    return near;
  }

  forget(end: ConnectionEnd): void {
    this.#ends.delete(end);
  }
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
  readonly #network: MemoryNetwork;
  #other: ConnectionEnd | null = null;
  #path: PathOptions = { latencyMs: 0, bytesPerSecond: Infinity };
  readonly #queue: Written[] = [];
  #offset = 0;
  #inFlight = 0;
  #lineFreeAt = 0;
  #isPaused = false;
  readonly #unread: Uint8Array[] = [];

  constructor(
    network: MemoryNetwork,
    who: { host: string; port: number; localHost: string; isOutbound: boolean },
  ) {
    this.#network = network;
    this.remoteHost = who.host;
    this.remotePort = who.port;
    this.localHost = who.localHost;
    this.isOutbound = who.isOutbound;
  }

  join(other: ConnectionEnd, path: PathOptions): void {
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
    this.#network.forget(this);
    const { clock } = this.#network;
    clock.after(0, () => {
      for (const { done } of this.#queue.splice(0)) done?.();
      this.events?.onClosed(reason);
    });
    // What is on the line arrives before the end of the stream.
    const onLineMs = Math.max(0, this.#lineFreeAt - clock.now);
    clock.after(onLineMs + this.#path.latencyMs, () => this.#other?.close('the peer hung up'));
  }

  /** Puts written bytes on the line while the window allows. */
  #pump(): void {
    const { clock, random } = this.#network;
    const wasQueued = this.queuedBytes > 0;
    while (!this.isClosed && this.#other && this.#inFlight < WINDOW_BYTES) {
      const next = this.#queue[0];
      if (!next) break;
      const size = Math.min(
        next.bytes.length - this.#offset,
        1 + randomInt(random, CHUNK_BYTES_MAX),
      );
      const chunk = next.bytes.slice(this.#offset, this.#offset + size);
      this.#offset += size;
      this.queuedBytes -= size;
      this.#inFlight += size;
      this.#lineFreeAt =
        Math.max(clock.now, this.#lineFreeAt) + (size * 1000) / this.#path.bytesPerSecond;
      clock.after(this.#lineFreeAt - clock.now + this.#path.latencyMs, () => {
        this.#other?.receive(chunk);
      });
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

  receive(chunk: Uint8Array): void {
    this.#unread.push(chunk);
    this.#readAll();
  }

  #readAll(): void {
    while (!this.#isPaused && !this.isClosed) {
      const chunk = this.#unread.shift();
      if (!chunk) return;
      this.#other?.onRead(chunk.length);
      this.events?.onBytes(chunk);
      // Views are borrowed: whoever kept one finds other bytes there.
      chunk.fill(0xee);
    }
  }

  onRead(size: number): void {
    this.#inFlight -= size;
    this.#network.clock.after(this.#path.latencyMs, () => this.#pump());
  }
}
