/** Byte counters whose rate is worked out on a tick: nothing is measured per block. */

/** Weight of the newest sample; samples half a second apart give a memory of about two seconds. */
const SMOOTHING = 0.25;

/** A total and its smoothed rate in bytes a second. */
export class RateMeter {
  total = 0;
  rate = 0;
  #sampled = 0;

  /** Works out the rate since the last sample, `elapsedMs` ago. */
  sample(elapsedMs: number): void {
    const latest = ((this.total - this.#sampled) * 1000) / elapsedMs;
    this.#sampled = this.total;
    this.rate = this.rate === 0 ? latest : this.rate + (latest - this.rate) * SMOOTHING;
    if (this.rate < 1) this.rate = 0;
  }
}
