/** A token bucket that counts events: so many a second, and a burst. */
import type { Instant } from '../units/index.ts';

/** Lets `perSecond` events through on average, `burst` at once. Starts full. */
export class RateGate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: Instant | null = null;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether one more event is within the limit; counts it if so. */
  pass(now: Instant): boolean {
    const elapsed = this.#filledAt === null ? 0 : Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
