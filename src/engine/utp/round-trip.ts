/** How long an answer takes, and when to stop waiting for it (BEP 29, "timeouts"; RFC 6298). */

const FIRST_TIMEOUT_US = 1_000_000;
const TIMEOUT_US_MIN = 500_000;
const TIMEOUT_US_MAX = 30_000_000;

/** The round trip of one connection, in microseconds. */
export class RoundTrip {
  #mean: number | null = null;
  #deviation = 0;
  #backoff = 1;

  /** The mean; null before the first answer. */
  get meanUs(): number | null {
    return this.#mean;
  }

  /** After so long without any answer what is on the way is taken for lost. */
  get timeoutUs(): number {
    const wait =
      this.#mean === null
        ? FIRST_TIMEOUT_US
        : Math.max(TIMEOUT_US_MIN, this.#mean + 4 * this.#deviation);
    return Math.min(TIMEOUT_US_MAX, wait * this.#backoff);
  }

  /** A packet that was sent once was answered after so long. */
  add(sampleUs: number): void {
    if (this.#mean === null) {
      this.#mean = sampleUs;
      this.#deviation = sampleUs / 2;
      return;
    }
    this.#deviation += (Math.abs(sampleUs - this.#mean) - this.#deviation) / 4;
    this.#mean += (sampleUs - this.#mean) / 8;
  }

  /** A timeout passed: the next is twice as long. */
  onTimeout(): void {
    this.#backoff *= 2;
  }

  /** Something new was acknowledged. */
  onAnswer(): void {
    this.#backoff = 1;
  }
}
