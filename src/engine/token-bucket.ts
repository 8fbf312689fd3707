/** A rate limit in bytes a second, filled on ticks. */
import type { BytesPerSecond } from '../units/index.ts';

/** How much may be saved up: long enough for one late tick, short enough not to burst. */
const BURST_SECONDS = 0.25;

/** Bytes that may be moved now. Unlimited when the rate is `Infinity`. */
export class TokenBucket {
  #rate: BytesPerSecond;
  #tokens: number;

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

  /** Changes the limit; what was saved up is forgotten. */
  limit(rate: BytesPerSecond): void {
    this.#rate = rate;
    this.#tokens = rate === Infinity ? Infinity : 0;
  }

  fill(elapsedMs: number): void {
    if (!this.isLimited) return;
    const most = Math.max(this.#rate * BURST_SECONDS, 32 * 1024);
    this.#tokens = Math.min(most, this.#tokens + (this.#rate * elapsedMs) / 1000);
  }

  /** Whether anything may be moved. A move may overdraw; the debt is paid by later fills. */
  get isOpen(): boolean {
    return this.#tokens > 0;
  }

  take(size: number): void {
    if (this.isLimited) this.#tokens -= size;
  }
}
