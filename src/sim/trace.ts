/** A running hash of all that happens: two runs are the same when their hashes are. */

/** Two FNV-1a hashes of 32 bits with different beginnings. Finds accidents, not forgers. */
export class Trace {
  /** Events recorded so far. */
  eventCount = 0;
  #low = 0x811c9dc5;
  #high = 0x050c5d1f;

  /** Adds an event: what it was, and numbers that describe it. */
  record(event: string, ...details: readonly number[]): void {
    this.eventCount++;
    for (let at = 0; at < event.length; at++) this.#mix(event.charCodeAt(at));
    // Times have fractions: their thousandths count too.
    for (const detail of details) this.#mix(Math.round(detail * 1000) | 0);
  }

  /** Sixteen lower-case hex digits. */
  get digest(): string {
    const digits = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return digits(this.#high) + digits(this.#low);
  }

  #mix(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) {
      const byte = (value >>> shift) & 0xff;
      this.#low = Math.imul(this.#low ^ byte, 0x01000193);
      this.#high = Math.imul(this.#high ^ byte, 0x01000193) ^ (this.#low >>> 15);
    }
  }
}
