/** How much of a path's delay is waiting in queues: what exceeds the least of two minutes. */

/** The least delay is kept for each of these spans … */
const SPAN_US = 10_000_000;
/** … of the last two minutes (BEP 29): clocks drift, and paths change. */
const SPANS = 12;
/** The least of so many samples counts: a single late packet is not a queue. */
const FILTER = 4;

/** Samples of one direction. Delays are differences of two clocks: only their differences count. */
export class DelayHistory {
  /** Least delay per span, the newest last. */
  readonly #least: number[] = [];
  #spanEnd = 0;
  readonly #recent: number[] = [];

  /**
   * Adds a delay in microseconds, modulo 2^32, measured at `nowUs`. Returns how much of it, by the
   * last few samples, is waiting.
   */
  add(delay: number, nowUs: number): number {
    if (nowUs >= this.#spanEnd || this.#least.length === 0) {
      this.#spanEnd = nowUs + SPAN_US;
      this.#least.push(delay);
      if (this.#least.length > SPANS) this.#least.shift();
    } else {
      const last = this.#least.length - 1;
      if (isLess(delay, this.#least[last] as number)) this.#least[last] = delay;
    }
    const base = this.#base();
    this.#recent.push((delay - base) >>> 0);
    if (this.#recent.length > FILTER) this.#recent.shift();
    let waiting = this.#recent[0] as number;
    for (const sample of this.#recent) waiting = Math.min(waiting, sample);
    return waiting;
  }

  #base(): number {
    let base = this.#least[0] as number;
    for (const delay of this.#least) if (isLess(delay, base)) base = delay;
    return base;
  }
}

/** Whether `a` is less than `b` on a circle of 2^32. */
function isLess(a: number, b: number): boolean {
  return (a - b) >>> 0 > 0x7fffffff;
}
