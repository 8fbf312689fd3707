/**
 * How many requests keep a peer busy without a queue before it. What is asked for next comes behind
 * all that was asked before, so who waits for a certain piece wants the link full and no fuller.
 * One block at a time is timed: what it took beyond the shortest time known is queue (as in FAST
 * TCP, Wei et al. 2006, with the queue bounded in time and not in bytes).
 */
import type { Instant } from '../units/index.ts';

/** Requests in flight at first: 256 KiB. */
const DEPTH_FIRST = 16;
/** And at least: else one late timer would leave a short path idle. */
const DEPTH_MIN = 4;
/** The queue aimed at. Less, and what the two ends take to answer would look like queue. */
const QUEUE_MS = 15;
/** From one measurement to the next the depth changes by at most so much. */
const GROWTH_MAX = 1.5;
const SHRINK_MAX = 0.5;
/** One late block may be a busy machine's; only the next one proves a queue. */
const SHRINK_FIRST = 0.85;
/** Requests leave in batches: the first of one finds so much of the depth in flight. */
const NEARLY_FULL = 0.75;
/**
 * The shortest time is believed for so long; then the queue is let run empty once, to measure. At
 * first, and when it turned out to be far too long, for the shorter time: a peer's first answers
 * are its slowest.
 */
const TRUST_MS_MIN = 1_000;
const TRUST_MS_MAX = 10_000;
const FAR_TOO_LONG = 1.25;

/** What goes with an answer. */
export interface AnswerContext {
  /** Whether this pipeline's depth is what is in flight. */
  readonly isInUse: boolean;
  readonly clock: () => Instant;
}

/** The pipeline of one peer. Times in milliseconds. */
export class ShortPipeline {
  #depth = DEPTH_FIRST;
  /** The block that is timed; -1 for none. */
  #key = -1;
  #askedAt = 0;
  #outstanding = 0;
  /** From asking to the end of a block, without a queue. */
  #baseMs = Infinity;
  #baseAt = 0;
  #trustMs = TRUST_MS_MIN;
  #isDraining = false;
  /** No queue has been seen yet: the way may take far more. */
  #isStarting = true;
  /** The block timed last came late. */
  #wasLate = false;

  /** Requests to have in flight. */
  get depth(): number {
    return this.#isDraining ? Math.max(DEPTH_MIN, this.#depth >> 1) : this.#depth;
  }

  /** The shortest time known from asking to the end of a block; `Infinity` before the first. */
  get shortestMs(): number {
    return this.#baseMs;
  }

  /** A block was asked for, as the last of `outstanding`. The clock is read for few of them. */
  onAsked(key: number, outstanding: number, clock: () => Instant): void {
    if (this.#key >= 0) return;
    this.#key = key;
    this.#askedAt = clock();
    this.#outstanding = outstanding;
  }

  /** A block is complete. While another depth is in use, only the shortest time is learned. */
  onAnswered(key: number, { isInUse, clock }: AnswerContext): void {
    if (key !== this.#key) return;
    this.#key = -1;
    const now = clock();
    const tookMs = Math.max(1, now - this.#askedAt);
    const isWithoutQueue = this.#isDraining && isInUse;
    if (isWithoutQueue) this.#trust(tookMs);
    if (tookMs <= this.#baseMs || isWithoutQueue) {
      this.#baseMs = tookMs;
      this.#baseAt = now;
    }
    if (isInUse && !this.#isDraining) this.#adapt(tookMs);
    // What is asked for from here on finds an empty queue.
    this.#isDraining = isInUse && now - this.#baseAt > this.#trustMs;
  }

  /** A request was given up, or all of them with `null`. */
  onGone(key: number | null): void {
    if (key === null || key === this.#key) this.#key = -1;
  }

  /** `tookMs` was measured without a queue: how long to believe that. */
  #trust(tookMs: number): void {
    const wasFarOff = this.#baseMs > tookMs * FAR_TOO_LONG;
    this.#trustMs = wasFarOff ? TRUST_MS_MIN : Math.min(TRUST_MS_MAX, 2 * this.#trustMs);
  }

  /** So many were in flight and came in `tookMs`: right is what comes in the time aimed at. */
  #adapt(tookMs: number): void {
    const goalMs = this.#baseMs + QUEUE_MS;
    const most = Math.ceil(this.#depth * GROWTH_MAX);
    this.#isStarting &&= tookMs <= goalMs;
    const isFarFromFull = this.#isStarting && this.#outstanding * 2 >= this.#depth;
    const wanted = isFarFromFull ? most : Math.ceil((this.#outstanding * goalMs) / tookMs);
    // With far fewer in flight than allowed, nothing is known of what more would do.
    if (this.#outstanding < this.#depth * NEARLY_FULL && wanted < this.#depth) return;
    const shrink = this.#wasLate ? SHRINK_MAX : SHRINK_FIRST;
    const least = Math.max(DEPTH_MIN, Math.floor(this.#depth * shrink));
    this.#wasLate = tookMs > goalMs;
    this.#depth = Math.min(most, Math.max(least, wanted));
  }
}
