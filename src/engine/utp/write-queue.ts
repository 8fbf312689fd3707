/** Bytes lent by writers, in order, until they are copied into packets. */

interface Part {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | null;
}

/**
 * So many parts go alone on a connection that was accepted. Transmission 3.00 takes no notice of
 * what comes in one packet with our handshake until there is another; encrypted, it is the third.
 */
const LONE_PARTS = 4;

/** What is written and not sent. */
export class WriteQueue {
  #parts: Part[] = [];
  #head = 0;
  /** How much of the first part is gone. */
  #offset = 0;
  #byteCount = 0;
  #loneParts: number;

  constructor(isOutbound: boolean) {
    this.#loneParts = isOutbound ? 0 : LONE_PARTS;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  /** As much of it as is meant for one packet, however long that may be. */
  get packetBytes(): number {
    const part = this.#parts[this.#head];
    return this.#loneParts > 0 && part ? part.bytes.length - this.#offset : this.#byteCount;
  }

  push(parts: readonly Uint8Array[], done: (() => void) | null): void {
    const last = parts.length - 1;
    for (const [nth, bytes] of parts.entries()) {
      this.#parts.push({ bytes, done: nth === last ? done : null });
      this.#byteCount += bytes.length;
    }
  }

  /** Moves what fits into `view`, from `at`. `onDone` gets who can have their bytes back. */
  fill(view: Uint8Array, at: number, onDone: (done: () => void) => void): void {
    let end = at;
    while (end < view.length) {
      const part = this.#parts[this.#head];
      if (!part) break;
      const size = Math.min(view.length - end, part.bytes.length - this.#offset);
      view.set(part.bytes.subarray(this.#offset, this.#offset + size), end);
      end += size;
      this.#offset += size;
      if (this.#offset === part.bytes.length) this.#shift(part, onDone);
    }
    this.#byteCount -= end - at;
  }

  /** Gives everything back unsent. */
  clear(onDone: (done: () => void) => void): void {
    for (const { done } of this.#parts.slice(this.#head)) if (done) onDone(done);
    this.#parts = [];
    this.#head = 0;
    this.#offset = 0;
    this.#byteCount = 0;
  }

  #shift(part: Part, onDone: (done: () => void) => void): void {
    if (part.done) onDone(part.done);
    if (this.#loneParts > 0) this.#loneParts--;
    this.#offset = 0;
    this.#head++;
    if (this.#head < 256 && this.#head < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#head);
    this.#head = 0;
  }
}
