/** Rate limits in bytes a second, filled on ticks. */
import { BLOCK_BYTES, type BytesPerSecond } from '../units/index.ts';

/** How much may be saved up: long enough for one late tick, short enough not to burst. */
const BURST_SECONDS = 0.25;

/** A debt that a higher limit left behind delays the new one by at most so long. */
const DEBT_SECONDS_MAX = 1;

/** How much a bucket is used. */
export interface BucketUsage {
  /** Since it was made. */
  readonly movedBytes: number;
  readonly wasShort: boolean;
}

/** Bytes that may be moved now. Unlimited when the rate is `Infinity`. */
export class TokenBucket {
  #rate: BytesPerSecond;
  #tokens: number;
  #takenBytes = 0;
  #wasShort = false;

  constructor(rate: BytesPerSecond) {
    this.#rate = rate;
    this.#tokens = rate === Infinity ? Infinity : 0;
  }

  get rate(): BytesPerSecond {
    return this.#rate;
  }

  get isLimited(): boolean {
    return this.#rate !== Infinity;
  }

  /** Nothing is to be moved at all: there is no use in waiting for it to fill. */
  get isStopped(): boolean {
    return this.#rate === 0;
  }

  /**
   * Changes the limit. What is owed stays owed: one changed every second must not forgive it.
   */
  limit(rate: BytesPerSecond): void {
    const tokens = this.isLimited ? this.#tokens : 0;
    this.#rate = rate;
    const owedMost = Math.max(rate * DEBT_SECONDS_MAX, BLOCK_BYTES);
    this.#tokens = rate === Infinity ? Infinity : Math.max(Math.min(tokens, this.#most), -owedMost);
  }

  fill(elapsedMs: number): void {
    if (!this.isLimited) return;
    this.#tokens = Math.min(this.#most, this.#tokens + (this.#rate * elapsedMs) / 1000);
  }

  /** Whether anything may be moved. A move may overdraw; the debt is paid by later fills. */
  get isOpen(): boolean {
    return this.#tokens > 0;
  }

  /** What may be moved without a debt; negative while there is one. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Whether filling changes nothing. */
  get isFull(): boolean {
    return this.isStopped || this.#tokens >= this.#most;
  }

  take(size: number): void {
    this.#takenBytes += size;
    if (!this.isLimited) return;
    this.#tokens -= size;
    if (!this.isOpen) this.#wasShort = true;
  }

  /** How much was taken in all, and whether the limit was used up since last asked. */
  takeUsage(): BucketUsage {
    const usage = { movedBytes: this.#takenBytes, wasShort: this.#wasShort };
    this.#wasShort = false;
    return usage;
  }

  get #most(): number {
    return this.isLimited ? Math.max(this.#rate * BURST_SECONDS, 2 * BLOCK_BYTES) : Infinity;
  }
}

/** Buckets that are filled together. Those without a limit, and full ones, cost nothing. */
export class TokenBuckets {
  readonly #filling = new Set<TokenBucket>();

  /** Its limit was changed. */
  watch(bucket: TokenBucket): void {
    if (!bucket.isFull) this.#filling.add(bucket);
  }

  take(bucket: TokenBucket, size: number): void {
    bucket.take(size);
    if (bucket.isLimited) this.#filling.add(bucket);
  }

  fill(elapsedMs: number): void {
    for (const bucket of this.#filling) {
      bucket.fill(elapsedMs);
      if (bucket.isFull) this.#filling.delete(bucket);
    }
  }
}
