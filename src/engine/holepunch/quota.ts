/** How often something may be asked of us in a minute. */
import type { Instant } from '../../units/index.ts';

const MINUTE_MS = 60_000;

/** So many times a minute, counted from the first. */
export class Quota {
  readonly #perMinute: number;
  #since = -Infinity;
  #used = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes one; false when there is none left for now. */
  take(now: Instant): boolean {
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now;
      this.#used = 0;
    }
    if (this.#used === this.#perMinute) return false;
    this.#used++;
    return true;
  }
}
