/**
 * Shares the upload among unchoked peers by deficit round robin (Shreedhar and Varghese 1996): a
 * peer's turn is worth bytes in proportion to its weight, and unused turns go to the others.
 */
import { type BytesPerSecond, KIB, MIB, UNLIMITED } from '../units/index.ts';
import type { PieceGeometry } from './content.ts';
import type { PieceStore } from './ports.ts';
import type { ServeQueue, ServeRequest } from './serve-queue.ts';
import { TokenBucket } from './token-bucket.ts';

/** A peer that can be served. */
export interface Servable {
  readonly serveQueue: ServeQueue;
  readonly geometry: PieceGeometry;
  readonly store: PieceStore;
  /** Relative share; 1 is ordinary. */
  readonly weight: number;
  /** Bytes handed over that the network has not taken: reads under way and the socket's queue. */
  readonly unsentBytes: number;
  readonly sendRate: number;
  /** How many bytes of requests with this tag may be sent now. */
  creditBytes(tag: number): number;
  /** Bytes are being read for the peer. */
  onTaken(run: readonly ServeRequest[]): void;
  /** They are here, in order; `done` is called when the buffer may be reused. */
  sendRun(run: readonly ServeRequest[], bytes: Uint8Array, done: () => void): void;
  /** The disk failed; the torrent pauses. */
  onReadFailed(run: readonly ServeRequest[], failure: Error): void;
}

/** One read, and one write to a socket: sixteen blocks. */
const RUN_BYTES = 256 * KIB;
/** What the peer with the largest weight gets per turn. */
const QUANTUM_BYTES = 256 * KIB;
/** Nobody's turn is worth less than this, or tiny weights would need thousands of rounds. */
const QUANTUM_BYTES_MIN = 256;
/** Bytes ahead of a socket: this much, or half a second of its rate. */
const AHEAD_BYTES_MIN = 512 * KIB;
const AHEAD_BYTES_MAX = 4 * MIB;
/** Rounds per call: enough to fill everything that can be filled. */
const ROUNDS_MAX = 1024;
/** Read buffers in use at most, over all peers. */
const BUFFERS_MAX = 64;

/** Serves requests of all peers of all torrents. */
export class UploadScheduler {
  readonly #bucket = new TokenBucket(UNLIMITED);
  readonly #active = new Map<Servable, number>();
  readonly #idleBuffers: Uint8Array[] = [];
  #buffersInUse = 0;
  #isPumping = false;

  /** The limit on block payload, in bytes a second. */
  limit(rate: BytesPerSecond): void {
    this.#bucket.limit(rate);
  }

  get rateLimit(): BytesPerSecond {
    return this.#bucket.rate;
  }

  /** A peer has requests, or credit, or room in its socket. */
  wake(peer: Servable): void {
    if (!this.#active.has(peer)) this.#active.set(peer, 0);
    this.pump();
  }

  /** A peer is choked or gone. */
  drop(peer: Servable): void {
    this.#active.delete(peer);
  }

  fill(elapsedMs: number): void {
    this.#bucket.fill(elapsedMs);
    if (this.#active.size > 0) this.pump();
  }

  /** Starts as many reads as limits, sockets and credit allow. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (!this.#round()) break;
    }
    this.#isPumping = false;
  }

  /** One turn for every active peer; false when nobody could use it. */
  #round(): boolean {
    let isUseful = false;
    let heaviest = 0;
    for (const peer of this.#active.keys()) heaviest = Math.max(heaviest, peer.weight);
    for (let left = this.#active.size; left > 0; left--) {
      const [first] = this.#active;
      if (!first || !this.#bucket.isOpen || this.#buffersInUse >= BUFFERS_MAX) return false;
      const [peer, deficit] = first;
      // Whoever had its turn goes to the end, so that a closed bucket is not always met by the same.
      this.#active.delete(peer);
      if (peer.serveQueue.size === 0) continue;
      this.#active.set(peer, deficit);
      if (!canServe(peer)) continue;
      const share = (QUANTUM_BYTES * peer.weight) / heaviest;
      const turn = Math.min(deficit + Math.max(share, QUANTUM_BYTES_MIN), 2 * QUANTUM_BYTES);
      this.#active.set(peer, turn - this.#serve(peer, turn));
      isUseful = true;
    }
    return isUseful;
  }

  /** Takes blocks worth at most `turn` bytes; returns how many bytes were taken. */
  #serve(peer: Servable, turn: number): number {
    let taken = 0;
    while (canServe(peer) && this.#bucket.isOpen && this.#buffersInUse < BUFFERS_MAX) {
      const run = takeRun(peer, turn - taken);
      if (run.length === 0) break;
      const size = run.reduce((sum, request) => sum + request.length, 0);
      taken += size;
      this.#bucket.take(size);
      peer.onTaken(run);
      this.#read(peer, run, size);
    }
    return taken;
  }

  #read(peer: Servable, run: readonly ServeRequest[], size: number): void {
    const buffer = this.#idleBuffers.pop() ?? new Uint8Array(RUN_BYTES);
    this.#buffersInUse++;
    const release = (): void => {
      this.#buffersInUse--;
      this.#idleBuffers.push(buffer);
    };
    const bytes = buffer.subarray(0, size);
    peer.store.read(offsetOf(peer, run[0]), bytes, (failure) => {
      if (failure) {
        release();
        peer.onReadFailed(run, failure);
        return;
      }
      peer.sendRun(run, bytes, () => {
        release();
        this.wake(peer);
      });
    });
  }
}

function offsetOf(peer: Servable, request: ServeRequest | undefined): number {
  return (request?.index ?? 0) * peer.geometry.pieceLengthBytes + (request?.begin ?? 0);
}

/** Whether the oldest request may be answered now. */
function canServe(peer: Servable): boolean {
  const next = peer.serveQueue.peek();
  if (!next) return false;
  const ahead = Math.min(AHEAD_BYTES_MAX, Math.max(AHEAD_BYTES_MIN, peer.sendRate / 2));
  return peer.unsentBytes < ahead && peer.creditBytes(next.tag) >= next.length;
}

/** Takes requests that follow one another in the torrent, so that one read serves them all. */
function takeRun(peer: Servable, turn: number): ServeRequest[] {
  const run: ServeRequest[] = [];
  let size = 0;
  let offset = -1;
  let credit = Infinity;
  while (true) {
    const next = peer.serveQueue.peek();
    if (!next || size + next.length > Math.min(turn, RUN_BYTES)) break;
    if (offset >= 0 && offsetOf(peer, next) !== offset) break;
    if (run[0] && run[0].tag !== next.tag) break;
    if (!run[0]) credit = peer.creditBytes(next.tag);
    if (size + next.length > credit) break;
    peer.serveQueue.shift();
    run.push(next);
    size += next.length;
    offset = offsetOf(peer, next) + next.length;
  }
  return run;
}
