/**
 * A link of our own making: a TCP proxy that holds every byte back for a fixed time in each
 * direction, and lets no more through a second than a link would. It needs no right and no kernel
 * module.
 */
import { createServer, connect as dial, type Socket } from 'node:net';
import type { Endpoint } from './ports.ts';

/** What the link is like, and who is at its far end. */
export interface ShaperOptions {
  readonly target: Endpoint;
  /** From one end to the other: half a round trip. */
  readonly delayMs: number;
  /** Bytes a second in each direction, all connections together; default no limit. */
  readonly bytesPerSecond?: number;
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string;
}

/** A running link. Disposing it breaks all connections. */
export interface Shaper extends AsyncDisposable {
  /** Connections to it come out at the target. */
  readonly port: number;
  /** Bytes that have come out at either end. */
  deliveredBytes(): number;
}

/** A chunk is on the wire as a whole before it travels: this is 1.6 ms at 20 Mbit/s. */
const CHUNK_BYTES = 4096;
/** What the queue before the wire holds; then the sender is not read from any more. */
const QUEUE_MS = 20;
/** On its way or unread by the receiver, per connection and direction: TCP's window. */
const WINDOW_BYTES = 16 * 2 ** 20;

/** Starts a link. TCP's own round trip, before a connection is open, takes no time here. */
export function startShaper(options: ShaperOptions): Promise<Shaper> {
  const { target, delayMs, host = '127.0.0.1' } = options;
  const bytesPerSecond = options.bytesPerSecond ?? Number.POSITIVE_INFINITY;
  const [forth, back] = [new Wire(bytesPerSecond, delayMs), new Wire(bytesPerSecond, delayMs)];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = dial({ ...target, allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    new Lane(near, far, forth).run();
    new Lane(far, near, back).run();
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const deliveredBytes = (): number => forth.deliveredBytes + back.deliveredBytes;
      resolve({ port, deliveredBytes, [Symbol.asyncDispose]: close });
    });
  });
}

/** One direction of the link, shared by all connections. */
class Wire {
  readonly #bytesPerMs: number;
  readonly #delayMs: number;
  /** When the last chunk taken is on the wire as a whole. */
  #freeAt = 0;
  deliveredBytes = 0;

  constructor(bytesPerSecond: number, delayMs: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#delayMs = delayMs;
  }

  /** Takes a chunk, and says when it comes out. */
  take(byteCount: number): number {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + byteCount / this.#bytesPerMs;
    return this.#freeAt + this.#delayMs;
  }

  /** Until the queue has room again; 0 when it has. */
  get waitMs(): number {
    return Math.max(0, this.#freeAt - performance.now() - QUEUE_MS);
  }
}

/** Something on its way: bytes, or the end of them. */
interface Parcel {
  readonly dueAt: number;
  readonly bytes: Uint8Array | null;
}

/** One direction of one connection. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #wire: Wire;
  readonly #parcels: Parcel[] = [];
  #inside = 0;
  #timer: NodeJS.Timeout | null = null;
  #isBlocked = false;

  constructor(from: Socket, to: Socket, wire: Wire) {
    this.#from = from;
    this.#to = to;
    this.#wire = wire;
  }

  run(): void {
    const [from, to] = [this.#from, this.#to];
    from.on('data', (view: Uint8Array) => this.#take(view));
    from.on('end', () => this.#push({ dueAt: this.#wire.take(0), bytes: null }));
    from.on('error', () => to.destroy());
    from.on('close', (hadError) => hadError && to.destroy());
    to.on('drain', () => {
      this.#isBlocked = false;
      this.#deliver();
    });
    to.on('close', () => this.#stop());
  }

  #take(view: Uint8Array): void {
    for (let at = 0; at < view.length; at += CHUNK_BYTES) {
      const bytes = view.subarray(at, at + CHUNK_BYTES);
      this.#inside += bytes.length;
      this.#push({ dueAt: this.#wire.take(bytes.length), bytes });
    }
    this.#restIfFull();
  }

  /** Stops reading while the queue or the window is full. */
  #restIfFull(): void {
    const { waitMs } = this.#wire;
    if (waitMs === 0 && this.#inside <= WINDOW_BYTES) {
      this.#from.resume();
      return;
    }
    this.#from.pause();
    // A full window opens with the next delivery.
    if (waitMs > 0) setTimeout(() => this.#restIfFull(), waitMs);
  }

  #push(parcel: Parcel): void {
    this.#parcels.push(parcel);
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#parcels;
    if (!first || this.#timer || this.#isBlocked) return;
    const waitMs = Math.max(0, first.dueAt - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#deliver();
    }, waitMs);
  }

  #deliver(): void {
    const now = performance.now();
    let count = 0;
    for (const { dueAt, bytes } of this.#parcels) {
      if (dueAt > now || this.#isBlocked || this.#to.destroyed) break;
      count++;
      if (bytes === null) this.#to.end();
      else {
        this.#inside -= bytes.length;
        this.#wire.deliveredBytes += bytes.length;
        this.#isBlocked = !this.#to.write(bytes);
      }
    }
    this.#parcels.splice(0, count);
    if (this.#from.isPaused()) this.#restIfFull();
    this.#arm();
  }

  #stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isBlocked = true;
    this.#parcels.length = 0;
    this.#from.destroy();
  }
}
