/** The downloading side of one peer: what was asked of it, how much more to ask, what came. */
import { BLOCK_BYTES, type Instant } from '../units/index.ts';
import { MESSAGE, putBlockRef, REQUEST_BYTES } from '../wire/index.ts';
import type { PieceGeometry } from './content.ts';
import type { Outbox } from './outbox.ts';
import type { PartialPiece } from './partial-piece.ts';
import { PendingRequests } from './pending-requests.ts';
import type { PiecePicker } from './piece-picker.ts';
import { ShortPipeline } from './short-pipeline.ts';
import type { Taker } from './taker.ts';

/** Requests in flight at first. */
const DEPTH_FIRST = 16;
/**
 * And the least later: sixteen held by a peer of 11 KiB/s would take 23 s, and a few hundred such
 * peers would hold all pieces that memory allows to be open.
 */
const DEPTH_MIN = 4;
/** And at most: 8 MiB on their way, far beyond any one peer's bandwidth-delay product. */
const DEPTH_MAX = 512;
/**
 * And as many as the way to the peer holds: no more than this come in a millisecond (16 Gbit/s).
 * What is beyond stands in a queue, and costs memory for open pieces and places in caches: on one
 * machine 512 instead of 128 took 8 MB and 3 % of the CPU time more, and was no faster.
 */
const BLOCKS_A_MS_MAX = 128;
/** What peers take when they do not say (`reqq`, BEP 10): libtorrent's default. */
const REMOTE_DEPTH_DEFAULT = 250;
/** How much of the peer's rate is asked for ahead. */
const DEPTH_SECONDS = 2;
/** And while urgent pieces come late: then the rate is what is lacking. */
const DEPTH_SECONDS_LATE = 0.5;
/** What has become urgent is asked for so deep: a late wake-up must not leave the link idle. */
const HURRY_TIMES = 2;
/** It stands behind so many pipelines at most; the rest is cancelled. */
const SURPLUS_TIMES = 2;
/** A peer that owes blocks and sends none for so long is stalled … */
const STALL_MS = 1_500;
/** … unless at its rate so many blocks take longer. */
const STALL_BLOCKS = 4;
/** A peer that has not delivered a block for so long loses its requests to others. */
const SNUB_MS = 20_000;

/** What the queue needs to know to ask for blocks. */
export interface RequestContext {
  readonly geometry: PieceGeometry;
  readonly picker: PiecePicker;
  readonly taker: Taker;
  readonly outbox: Outbox;
  /** The time to the millisecond; not read for every block. */
  readonly clock: () => Instant;
}

/** A block that has begun to arrive. */
interface Arrival {
  readonly piece: PartialPiece;
  readonly block: number;
}

/** Open requests to one peer, and the depth of its pipeline. */
export class RequestQueue {
  /** Tag that the requests from now on carry. */
  tag = 0;
  isSnubbed = false;
  /** Block key → tag of the request. */
  readonly #pending = new PendingRequests();
  /** Pending, but given back to the picker: another peer may deliver sooner. */
  readonly #released = new Set<number>();
  #depth = DEPTH_FIRST;
  #depthMax = Math.min(DEPTH_MAX, REMOTE_DEPTH_DEFAULT);
  #isGrowing = true;
  readonly #short = new ShortPipeline();
  /** Somebody waits for certain pieces: what they need next must not stand behind other blocks. */
  #isShort = false;
  /** Those pieces come late. */
  #isLate = false;
  #lastRate = 0;
  #progressAt = 0;
  #arrival: Arrival | null = null;

  get size(): number {
    return this.#pending.size;
  }

  /** The piece of the block that is coming in; null between blocks. */
  get arrivingPiece(): number | null {
    return this.#arrival?.piece.index ?? null;
  }

  /** It owes blocks, and none has come for much longer than one takes. */
  isStalled(now: Instant): boolean {
    if (this.#pending.size === 0) return false;
    const blockMs = this.#lastRate > 0 ? (BLOCK_BYTES * 1000) / this.#lastRate : 0;
    return now - this.#progressAt > Math.max(STALL_MS, STALL_BLOCKS * blockMs);
  }

  /** Requests to have in flight. */
  get depth(): number {
    if (!this.#isShort || this.isSnubbed) {
      return Math.min(this.#depth, BLOCKS_A_MS_MAX * this.#short.shortestMs);
    }
    const least = this.#isLate ? this.#depth : 1;
    return Math.min(this.#depthMax, Math.max(least, this.#short.depth));
  }

  /** Takes the remote's `reqq` into account. */
  limitDepth(reqq: number): void {
    this.#depthMax = Math.max(1, Math.min(DEPTH_MAX, reqq));
    this.#depth = Math.min(this.#depth, this.#depthMax);
  }

  isPending(key: number): boolean {
    return this.#pending.has(key);
  }

  /** Whether enough room has come up that a batch of requests is worth a write. */
  get wantsMore(): boolean {
    const { depth } = this;
    // A short pipeline runs dry sooner.
    const batch = this.#isShort ? depth >> 3 : depth >> 2;
    return depth - this.#pending.size >= Math.min(64, batch || 1);
  }

  /** Asks for as many blocks as fit; they leave with the outbox. */
  fill(context: RequestContext, now: Instant): void {
    const { picker, taker } = context;
    if (this.#pending.size === 0) this.#progressAt = now;
    picker.review(now);
    this.#isShort = picker.isUrgent || picker.isSequential;
    this.#isLate = picker.isLate(now);
    const { depth } = this;
    while (this.#pending.size < depth) {
      const pick = picker.pick(taker);
      if (!pick) break;
      this.#ask(context, pick.piece, pick.block);
    }
    if (this.#pending.size === 0) {
      const pick = picker.pickDuplicate(taker);
      if (pick) this.#ask(context, pick.piece, pick.block);
    }
  }

  /**
   * Asks for what has just become urgent, beyond the depth: it cannot wait until there is room.
   * Returns the blocks that were asked for before and are now in its way.
   */
  hurry(context: RequestContext, now: Instant): readonly number[] {
    const { picker, taker } = context;
    this.#isShort = true;
    if (this.#pending.size === 0) this.#progressAt = now;
    picker.review(now);
    const older = [...this.#pending.keys()];
    const most = Math.min(this.#depthMax, older.length + HURRY_TIMES * this.depth);
    while (this.#pending.size < most) {
      const pick = picker.pickFresh(taker);
      if (!pick) break;
      this.#ask(context, pick.piece, pick.block);
    }
    if (this.#pending.size === older.length) return [];
    const { blocksPerPiece } = context.geometry;
    const isInTheWay = (key: number): boolean =>
      !picker.isDueSoon(Math.floor(key / blocksPerPiece), now);
    return older.slice(SURPLUS_TIMES * this.depth).filter(isInTheWay);
  }

  /** A block's header came. Where its payload goes, or null when it is not wanted any more. */
  startBlock(context: RequestContext, index: number, block: number): Uint8Array | null {
    const piece = context.picker.partials.get(index);
    if (!piece?.isFor(context.taker.peerKey) || !piece.startArrival(block)) return null;
    this.#arrival = { piece, block };
    return piece.blockView(block);
  }

  /** A block is complete. Its tag, or null when it was never asked for; and the piece it filled. */
  finishBlock(
    context: RequestContext,
    key: number,
    now: Instant,
  ): { readonly tag: number | null; readonly arrival: Arrival | null } {
    const tag = this.#pending.get(key) ?? null;
    this.#short.onAnswered(key, { isInUse: this.#isShort, clock: context.clock });
    if (this.#pending.delete(key) && !this.#arrival) this.#releaseBlock(context, key);
    this.#released.delete(key);
    this.#progressAt = now;
    this.isSnubbed = false;
    if (this.#isGrowing && this.#depth < this.#depthMax) this.#depth++;
    const arrival = this.#arrival;
    this.#arrival = null;
    if (arrival) arrival.piece.finishArrival(arrival.block, context.taker.peerKey);
    return { tag, arrival };
  }

  /** The remote will not deliver this one. False when it was not asked for. */
  reject(context: RequestContext, index: number, block: number): boolean {
    const key = context.geometry.blockKey(index, block);
    if (!this.#pending.delete(key)) return false;
    this.#short.onGone(key);
    this.#releaseBlock(context, key);
    return true;
  }

  /** The remote choked us without the fast extension: all it was asked for is void. */
  voidAll(context: RequestContext): void {
    this.releaseAll(context);
    this.#pending.clear();
    this.#short.onGone(null);
    this.#released.clear();
  }

  /** Gives every request back to the picker; the blocks may still come. */
  releaseAll(context: RequestContext): void {
    for (const key of this.#pending.keys()) this.#releaseBlock(context, key);
    for (const key of this.#pending.keys()) this.#released.add(key);
    context.picker.leave(context.taker);
  }

  /** Others may fetch the block that has begun to arrive: its bytes must not be kept any more. */
  abandonArrival(): void {
    this.#arrival?.piece.abandonArrival(this.#arrival.block);
    this.#arrival = null;
  }

  /** The connection is gone. */
  close(context: RequestContext): void {
    this.abandonArrival();
    this.voidAll(context);
  }

  /** Works out the depth from the rate, and finds out whether the peer went silent. */
  sample(rate: number, now: Instant): void {
    if (this.#isGrowing && rate > 0 && rate < this.#lastRate * 1.05) this.#isGrowing = false;
    this.#lastRate = rate;
    if (!this.#isGrowing) {
      const seconds = this.#isShort ? DEPTH_SECONDS_LATE : DEPTH_SECONDS;
      const wanted = Math.ceil((rate * seconds) / BLOCK_BYTES);
      this.#depth = Math.min(this.#depthMax, Math.max(DEPTH_MIN, wanted));
    }
    if (this.#pending.size > 0 && now - this.#progressAt > SNUB_MS) this.isSnubbed = true;
    if (this.isSnubbed) {
      this.#depth = 1;
      this.#isGrowing = true;
    }
  }

  #ask(context: RequestContext, piece: PartialPiece, block: number): void {
    const { geometry, outbox } = context;
    const key = geometry.blockKey(piece.index, block);
    this.#released.delete(key);
    // It was given back while the peer was silent, and the request still stands.
    if (!this.#pending.add(key, this.tag)) return;
    this.#short.onAsked(key, this.#pending.size, context.clock);
    const { view, at } = outbox.reserve(REQUEST_BYTES);
    putBlockRef(view, at, MESSAGE.request, {
      index: piece.index,
      begin: block * BLOCK_BYTES,
      length: geometry.blockLength(piece.index, block),
    });
  }

  #releaseBlock(context: RequestContext, key: number): void {
    if (this.#released.delete(key)) return;
    const { blocksPerPiece } = context.geometry;
    const piece = context.picker.partials.get(Math.floor(key / blocksPerPiece));
    piece?.release(key % blocksPerPiece);
  }
}
