/**
 * Shares the upload among unchoked peers by deficit round robin (Shreedhar and Varghese 1996): a
 * peer's turn is worth bytes in proportion to its weight, and unused turns go to the others. A
 * torrent that has used up its own limit is passed over and holds nobody up.
 */
import { BLOCK_BYTES, type BytesPerSecond, KIB, MIB, UNLIMITED } from '../units/index.ts';
import type { PieceGeometry } from './content.ts';
import type { PieceStore } from './ports.ts';
import type { ServeQueue, ServeRequest } from './serve-queue.ts';
import { type BucketUsage, TokenBucket, TokenBuckets } from './token-bucket.ts';

/** A peer that can be served. */
export interface Servable {
  readonly serveQueue: ServeQueue;
  readonly geometry: PieceGeometry;
  readonly store: PieceStore;
  /** The limit of its torrent, beside the common one. */
  readonly torrentLimit: TokenBucket;
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

/**
 * One read, and one write to a socket: sixteen blocks, or under a limit what it lets through in a
 * tenth of a second. A run may overdraw, so limits are kept to 2 % within five seconds.
 */
const RUN_BYTES = 256 * KIB;
const RUN_SECONDS = 0.1;
/** Under a limit everybody has had a turn after so long, if turns of one block allow it. */
const ROUND_SECONDS = 0.25;
/** Nobody's turn is worth less than this, or tiny weights would need thousands of rounds. */
const QUANTUM_BYTES_MIN = 256;
/** Bytes ahead of a socket: this much, or half a second of its rate. */
const AHEAD_BYTES_MIN = 512 * KIB;
const AHEAD_BYTES_MAX = 4 * MIB;
/** Rounds per call: enough to fill everything that can be filled. */
const ROUNDS_MAX = 1024;
/** Read buffers in use at most, over all peers: a hundred that do not read hold less. */
const BUFFER_BYTES_MAX = 64 * MIB;
/** Kept for reuse at most. */
const IDLE_BYTES_MAX = 64 * MIB;

/** Serves requests of all peers of all torrents. */
export class UploadScheduler {
  readonly #bucket = new TokenBucket(UNLIMITED);
  readonly #torrentBuckets = new TokenBuckets();
  readonly #active = new Map<Servable, number>();
  /** By length: a power of two times a block. */
  readonly #idleBuffers = new Map<number, Uint8Array[]>();
  #idleBytes = 0;
  #bytesInUse = 0;
  #isPumping = false;
  /** Whether somebody may wait for what is common to all: else a peer's news concern it alone. */
  #isHeldUp = false;
  /** Who is being served while nobody else is looked at. */
  #alone: Servable | null = null;
  /** Whose turn a limit common to all cut short: it goes on first, or weights would not count. */
  #cutShort: Servable | null = null;

  /** The limit on block payload, in bytes a second. */
  limit(rate: BytesPerSecond): void {
    this.#bucket.limit(rate);
  }

  get rateLimit(): BytesPerSecond {
    return this.#bucket.rate;
  }

  /** Payload sent by now, and whether the limit held any back since last asked. */
  takeUsage(): BucketUsage {
    return this.#bucket.takeUsage();
  }

  /** A torrent's own limit was changed. */
  watch(torrentLimit: TokenBucket): void {
    this.#torrentBuckets.watch(torrentLimit);
    if (this.#active.size > 0) this.pump();
  }

  /**
   * A peer has requests, or credit, or room in its socket. As long as nobody is held up, the others
   * have not changed: looking at all of fifty each time was 6 % of a seed's transfer thread.
   */
  wake(peer: Servable): void {
    if (!this.#active.has(peer)) this.#active.set(peer, 0);
    if (this.#isHeldUp || this.#isPumping) this.pump();
    else if (this.#alone === null) this.#pumpAlone(peer);
    else if (this.#alone !== peer) this.#isHeldUp = true;
  }

  /** A peer is choked or gone. */
  drop(peer: Servable): void {
    this.#active.delete(peer);
    if (this.#cutShort === peer) this.#cutShort = null;
  }

  fill(elapsedMs: number): void {
    this.#bucket.fill(elapsedMs);
    this.#torrentBuckets.fill(elapsedMs);
    if (this.#active.size > 0) this.pump();
  }

  /** Starts as many reads as limits, sockets and credit allow. */
  pump(): void {
    if (this.#isPumping || this.#alone) return;
    this.#isPumping = true;
    let rounds = 0;
    while (rounds < ROUNDS_MAX && this.#round()) rounds++;
    this.#isHeldUp = rounds === ROUNDS_MAX || this.#isBlocked;
    this.#isPumping = false;
  }

  /** As many turns for one peer as it can use, when nobody else waits for one. */
  #pumpAlone(peer: Servable): void {
    this.#alone = peer;
    for (let turns = 0; turns < ROUNDS_MAX && !this.#isBlocked; turns++) {
      if (!this.#canServe(peer) || !peer.torrentLimit.isOpen) break;
      const deficit = this.#active.get(peer) ?? 0;
      this.#takeTurn(peer, this.#turnOf(peer, { deficit, heaviest: peer.weight }));
    }
    this.#alone = null;
    if (this.#isBlocked) this.#isHeldUp = true;
    else if (this.#isHeldUp) this.pump();
    if (peer.serveQueue.size === 0) this.#active.delete(peer);
  }

  /** Whether something common to all peers stands in the way. */
  get #isBlocked(): boolean {
    return !this.#bucket.isOpen || this.#bytesInUse >= BUFFER_BYTES_MAX;
  }

  /** When memory is short, nobody gets more than the least, so that some is left for all. */
  get #aheadMax(): number {
    return this.#bytesInUse < BUFFER_BYTES_MAX / 2 ? AHEAD_BYTES_MAX : AHEAD_BYTES_MIN;
  }

  /** One read at most. */
  #runBytes({ torrentLimit }: Servable): number {
    const rate = Math.min(this.#bucket.rate, torrentLimit.rate);
    return Math.min(RUN_BYTES, Math.max(BLOCK_BYTES, rate * RUN_SECONDS));
  }

  /** One turn for every active peer; false when nobody could use it. */
  #round(): boolean {
    if (this.#isBlocked) return false;
    let isUseful = false;
    let heaviest = 0;
    for (const peer of this.#active.keys()) heaviest = Math.max(heaviest, peer.weight);
    // Whoever is served moves to the end, whoever has to wait keeps its place.
    let left = this.#active.size;
    for (const [peer, deficit] of this.#active) {
      if (left-- === 0) break;
      if (this.#isBlocked) return false;
      const isGoingOn = this.#cutShort === peer;
      if (isGoingOn) this.#cutShort = null;
      if (!this.#canServe(peer) || !(isGoingOn || peer.torrentLimit.isOpen)) {
        // Without requests it has no claim; otherwise its socket, credit or limit is waited for.
        if (peer.serveQueue.size === 0) this.#active.delete(peer);
        continue;
      }
      const turn = isGoingOn ? deficit : this.#turnOf(peer, { deficit, heaviest });
      this.#takeTurn(peer, turn);
      isUseful = true;
    }
    return isUseful;
  }

  /** Serves a peer for `turn` bytes. What is left is its deficit; cut short, it keeps its place. */
  #takeTurn(peer: Servable, turn: number): void {
    const rest = turn - this.#serve(peer, turn);
    if (this.#isBlocked && rest >= (peer.serveQueue.peek()?.length ?? Infinity)) {
      this.#cutShort = peer;
    } else {
      this.#active.delete(peer);
    }
    this.#active.set(peer, rest);
  }

  /**
   * What a new turn is worth: the share of its weight, and what was too little before. A torrent's
   * own limit is asked before a turn alone, which may overdraw it: the next turn of any of its
   * peers waits for the debt, and weights count among them too.
   */
  #turnOf(peer: Servable, state: { readonly deficit: number; readonly heaviest: number }): number {
    const inTime = (this.#bucket.rate * ROUND_SECONDS) / this.#active.size;
    const common = Math.min(RUN_BYTES, Math.max(BLOCK_BYTES, inTime));
    const { rate, tokens } = peer.torrentLimit;
    const quantum = Math.min(common, Math.max(BLOCK_BYTES, rate * RUN_SECONDS, tokens));
    const share = state.heaviest > 0 ? (quantum * peer.weight) / state.heaviest : quantum;
    return Math.min(state.deficit + Math.max(share, QUANTUM_BYTES_MIN), 2 * quantum);
  }

  /** Takes blocks worth at most `turn` bytes; returns how many bytes were taken. */
  #serve(peer: Servable, turn: number): number {
    let taken = 0;
    while (this.#canServe(peer) && !this.#isBlocked) {
      const run = takeRun(peer, Math.min(turn - taken, this.#runBytes(peer)));
      if (run.length === 0) break;
      const size = run.reduce((sum, request) => sum + request.length, 0);
      taken += size;
      this.#bucket.take(size);
      this.#torrentBuckets.take(peer.torrentLimit, size);
      peer.onTaken(run);
      this.#read(peer, run, size);
    }
    return taken;
  }

  /**
   * Whether the oldest request should be answered now. While the socket has a run to send, the next
   * one waits until it is as long: answering each request as it came made reads of 24 KiB.
   */
  #canServe(peer: Servable): boolean {
    const { serveQueue, unsentBytes } = peer;
    const next = serveQueue.peek();
    if (!next) return false;
    const worthwhile = this.#runBytes(peer);
    if (unsentBytes >= worthwhile && serveQueue.byteCount < worthwhile) return false;
    const ahead = Math.min(this.#aheadMax, Math.max(AHEAD_BYTES_MIN, peer.sendRate / 2));
    return unsentBytes < ahead && peer.creditBytes(next.tag) >= next.length;
  }

  #read(peer: Servable, run: readonly ServeRequest[], size: number): void {
    const buffer = this.#takeBuffer(size);
    const bytes = buffer.subarray(0, size);
    peer.store.read(offsetOf(peer, run[0]), bytes, (failure) => {
      if (failure) {
        this.#giveBuffer(buffer);
        peer.onReadFailed(run, failure);
        return;
      }
      peer.sendRun(run, bytes, () => {
        this.#giveBuffer(buffer);
        this.wake(peer);
      });
    });
  }

  #takeBuffer(size: number): Uint8Array {
    let length = BLOCK_BYTES;
    while (length < size) length *= 2;
    this.#bytesInUse += length;
    const idle = this.#idleBuffers.get(length)?.pop();
    if (idle) this.#idleBytes -= length;
    return idle ?? new Uint8Array(length);
  }

  #giveBuffer(buffer: Uint8Array): void {
    this.#bytesInUse -= buffer.length;
    if (this.#idleBytes + buffer.length > IDLE_BYTES_MAX) return;
    const list = this.#idleBuffers.get(buffer.length) ?? [];
    list.push(buffer);
    this.#idleBuffers.set(buffer.length, list);
    this.#idleBytes += buffer.length;
  }
}

function offsetOf(peer: Servable, request: ServeRequest | undefined): number {
  return (request?.index ?? 0) * peer.geometry.pieceLengthBytes + (request?.begin ?? 0);
}

/** Takes requests that follow one another in the torrent, so that one read serves them all. */
function takeRun(peer: Servable, most: number): ServeRequest[] {
  const run: ServeRequest[] = [];
  let size = 0;
  let offset = -1;
  let credit = Infinity;
  while (true) {
    const next = peer.serveQueue.peek();
    if (!next || size + next.length > most) break;
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
