/** Bytes of a handshake that have come and are not understood yet. */

/** A queue of bytes. Views it returns are copies or of its own; what is pushed is copied. */
export class Inbox {
  #bytes = new Uint8Array(1024);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(view: Uint8Array): void {
    if (this.#end + view.length > this.#bytes.length) {
      const length = Math.max(2 * this.length, this.length + view.length);
      const grown = new Uint8Array(Math.max(length, this.#bytes.length));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#end -= this.#start;
      this.#start = 0;
      this.#bytes = grown;
    }
    this.#bytes.set(view, this.#end);
    this.#end += view.length;
  }

  /** Removes the first `count` bytes, which must be there. Valid until the next `push`. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#start + count);
    this.#start += count;
    return taken;
  }

  /** Removes everything. */
  takeAll(): Uint8Array {
    return this.take(this.length);
  }

  /** Where `needle` begins, if it begins before `limit`; -1 if it does not. */
  find(needle: Uint8Array, limit: number): number {
    const last = Math.min(limit, this.length - needle.length + 1);
    for (let at = 0; at < last; at++) {
      let same = 0;
      while (same < needle.length && this.#bytes[this.#start + at + same] === needle[same]) same++;
      if (same === needle.length) return at;
    }
    return -1;
  }
}
