/** The downloading side of a connection: what the peer has, whether it lets us, what arrives. */
import { BLOCK_BYTES, type Instant } from '../units/index.ts';
import { encodeBare, encodeBlockRef, encodeIndex, MESSAGE, WireError } from '../wire/index.ts';
import { ALLOWED_FAST_COUNT } from './allowed-fast.ts';
import type { PartialPiece } from './partial-piece.ts';
import { PeerPieces } from './peer-pieces.ts';
import type { PeerWiring } from './peer-wiring.ts';
import { RateMeter } from './rate-meter.ts';
import { type RequestContext, RequestQueue } from './request-queue.ts';
import type { Taker } from './taker.ts';

/** A piece that a peer refused to give is not asked of it again for so long. */
const REFUSED_MS = 10_000;

/** What became of a block that came in full. */
export interface BlockArrival {
  /** The tag its request carried; null when it was never asked for. */
  readonly tag: number | null;
  /** The piece it filled a gap in; null when somebody else was faster. */
  readonly piece: PartialPiece | null;
  readonly block: number;
}

/** Downloading from one peer. */
export class PeerDownload implements Taker {
  readonly peerKey: number;
  readonly pieces: PeerPieces = new PeerPieces();
  readonly requests: RequestQueue = new RequestQueue();
  readonly received: RateMeter = new RateMeter();
  verifiedBytes = 0;
  current: PartialPiece | null = null;
  isChokingUs = true;
  /** It has pieces that we want, and we said so. */
  isInteresting = false;
  readonly #wiring: PeerWiring;
  readonly #allowed = new Set<number>();
  /** Pieces it refused although it does not choke us, and until when they are not asked of it. */
  readonly #refused = new Map<number, number>();
  #context: RequestContext | null = null;

  constructor(wiring: PeerWiring) {
    this.peerKey = wiring.peerKey;
    this.#wiring = wiring;
  }

  get receiveRate(): number {
    return this.received.rate;
  }

  /** Pieces can be talked about from here on; also when they could before `rest`. */
  begin(): void {
    const { work } = this.#wiring.owner;
    if (!work) return;
    if (this.#context) this.pieces.restart();
    const { geometry, picker } = work;
    const { outbox } = this.#wiring;
    const { engine } = this.#wiring.owner;
    this.#context = { geometry, picker, taker: this, outbox, clock: () => engine.clock() };
    this.pieces.start(work);
    this.updateInterest();
  }

  /** The torrent stops for a while. False when something is on its way from the peer. */
  rest(): boolean {
    if (this.requests.size > 0) return false;
    this.#context?.picker.leave(this);
    this.updateInterest();
    return true;
  }

  close(): void {
    if (this.#context) this.requests.close(this.#context);
    this.pieces.close(this.#wiring.owner.work);
  }

  /** Rates and the depth of the pipeline; a peer that fell silent loses its requests. */
  sample(elapsedMs: number, now: Instant): void {
    this.received.sample(elapsedMs);
    const wasSnubbed = this.requests.isSnubbed;
    this.requests.sample(this.received.rate, now);
    if (!this.requests.isSnubbed || wasSnubbed || !this.#context) return;
    this.giveUpArrival();
    this.requests.releaseAll(this.#context);
  }

  deliveryMs(now: Instant): number {
    const { rate } = this.received;
    if (rate === 0 || this.isStalled(now)) return Infinity;
    return ((this.requests.size + 1) * BLOCK_BYTES * 1000) / rate;
  }

  isStalled(now: Instant): boolean {
    return this.requests.isStalled(now);
  }

  get arrivingPiece(): number | null {
    return this.requests.arrivingPiece;
  }

  giveUpArrival(): void {
    this.requests.abandonArrival();
    this.#wiring.dropTarget();
  }

  canTake(piece: number): boolean {
    if (!this.pieces.has(piece) || (this.isChokingUs && !this.#allowed.has(piece))) return false;
    return this.#refused.size === 0 || !this.#hasRefused(piece);
  }

  isPending(piece: number, block: number): boolean {
    return this.requests.isPending(this.#wiring.work().geometry.blockKey(piece, block));
  }

  /** Asks for blocks as deep as the pipeline goes. */
  fill(): void {
    if (!this.isInteresting || !this.#context || this.#wiring.isClosed) return;
    if (this.isChokingUs && this.#allowed.size === 0) return;
    const { owner } = this.#wiring;
    if (owner.engine.downloads.mayAsk(owner)) this.requests.fill(this.#context, owner.engine.now);
  }

  /** Asks for what has just become urgent, and takes back what stands in its way. */
  hurry(): void {
    if (!this.isInteresting || !this.#context || this.#wiring.isClosed) return;
    const { geometry } = this.#context;
    const { now } = this.#wiring.owner.engine;
    for (const key of this.requests.hurry(this.#context, now)) {
      this.cancel(Math.floor(key / geometry.blocksPerPiece), key % geometry.blocksPerPiece);
    }
  }

  /** Another peer delivered this block. */
  cancel(piece: number, block: number): void {
    if (!this.#context || !this.isPending(piece, block)) return;
    const { geometry } = this.#context;
    const length = geometry.blockLength(piece, block);
    const begin = block * BLOCK_BYTES;
    const { outbox, flags } = this.#wiring;
    outbox.push(encodeBlockRef(MESSAGE.cancel, { index: piece, begin, length }));
    // With the fast extension the block or a reject still comes; without it, perhaps nothing does.
    if (!flags.fast) this.requests.reject(this.#context, piece, block);
  }

  /**
   * We have a piece now: tell the peer, and see whether it is still needed. One that has the piece,
   * too, may be a super-seed (BEP 16), which shows us no other before it knows that we have it.
   */
  onWeGot(piece: number, wasWanted: boolean): void {
    if (!this.pieces.isComplete) this.#wiring.outbox.push(encodeIndex(MESSAGE.have, piece));
    if (wasWanted) this.pieces.onWeGot(piece);
    this.updateInterest();
  }

  /** Where a block's payload goes; null when it is not needed. */
  startBlock(index: number, begin: number, length: number): Uint8Array | null {
    const block = begin / BLOCK_BYTES;
    const { geometry } = this.#wiring.work();
    const isBlock =
      Number.isInteger(block) &&
      geometry.isServable(index, begin, length) &&
      length === geometry.blockLength(index, block);
    if (!isBlock) throw new WireError('WIRE_MESSAGE', 'it sent a block that does not exist');
    if (!this.isPending(index, block)) {
      this.#wiring.offend('it sent blocks nobody asked for');
      return null;
    }
    return this.#context ? this.requests.startBlock(this.#context, index, block) : null;
  }

  finishBlock(index: number, begin: number, length: number): BlockArrival {
    const { owner } = this.#wiring;
    const block = begin / BLOCK_BYTES;
    const key = this.#wiring.work().geometry.blockKey(index, block);
    this.received.total += length;
    if (!this.#context) return { tag: null, piece: null, block };
    const { tag, arrival } = this.requests.finishBlock(this.#context, key, owner.engine.now);
    return { tag, piece: arrival?.piece ?? null, block };
  }

  onChoke(isChoking: boolean): void {
    this.isChokingUs = isChoking;
    this.#refused.clear();
    if (!isChoking) this.fill();
    else if (this.#context && !this.#wiring.flags.fast) this.requests.voidAll(this.#context);
    else this.#context?.picker.leave(this);
  }

  onReject(index: number, begin: number, length: number): void {
    const { geometry } = this.#wiring.work();
    if (!geometry.isServable(index, begin, length)) {
      throw new WireError('WIRE_MESSAGE', 'it rejected a block that does not exist');
    }
    if (!this.#context) return;
    const wasPending = this.requests.reject(this.#context, index, begin / BLOCK_BYTES);
    if (!wasPending || this.isChokingUs) return;
    // Asking again at once would be refused at once: others have their turn, or another piece.
    this.#refused.set(index, this.#wiring.owner.engine.now + REFUSED_MS);
    this.#context.picker.leave(this);
  }

  onAllowedFast(piece: number): void {
    if (this.#allowed.size < 2 * ALLOWED_FAST_COUNT) this.#allowed.add(piece);
    this.fill();
  }

  #hasRefused(piece: number): boolean {
    const until = this.#refused.get(piece) ?? 0;
    if (until > this.#wiring.owner.engine.now) return true;
    this.#refused.delete(piece);
    return false;
  }

  /** Says whether we are interested, when that changed. */
  updateInterest(): void {
    const isInteresting = this.#wiring.owner.isDownloading && this.pieces.interestingCount > 0;
    if (isInteresting === this.isInteresting) return;
    this.isInteresting = isInteresting;
    const id = isInteresting ? MESSAGE.interested : MESSAGE.notInterested;
    this.#wiring.outbox.push(encodeBare(id));
    if (isInteresting) this.fill();
  }
}
