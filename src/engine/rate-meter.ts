/** Byte counters whose rate is worked out on a tick: nothing is measured per block. */

/**
 * Weight of the newest sample; samples half a second apart give a memory of about two seconds. What
 * grows is believed sooner: pipelines and payments follow a starting download by this rate.
 */
const WEIGHT_FALLING = 0.25;
const WEIGHT_RISING = 0.75;

/** A total and its smoothed rate in bytes a second. */
export class RateMeter {
  total = 0;
  rate = 0;
  #sampled = 0;

  /** Works out the rate since the last sample, `elapsedMs` ago. */
  sample(elapsedMs: number): void {
    const latest = ((this.total - this.#sampled) * 1000) / elapsedMs;
    this.#sampled = this.total;
    const weight = latest > this.rate ? WEIGHT_RISING : WEIGHT_FALLING;
    this.rate = this.rate === 0 ? latest : this.rate + (latest - this.rate) * weight;
    if (this.rate < 1) this.rate = 0;
  }
}
