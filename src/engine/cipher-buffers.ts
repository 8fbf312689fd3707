/** Memory for encrypted copies of what is sent: what is lent to a write must stay as it was. */
import { KIB, MIB } from '../units/index.ts';

/** Smaller copies are not worth keeping. */
const POOLED_BYTES_MIN = 4 * KIB;
/** Kept for reuse at most. */
const IDLE_BYTES_MAX = 8 * MIB;

/** Buffers by size, each a power of two. */
export class CipherBuffers {
  readonly #idle = new Map<number, Uint8Array[]>();
  #idleBytes = 0;

  /** A buffer of at least `size` bytes, holding anything. */
  take(size: number): Uint8Array {
    if (size < POOLED_BYTES_MIN) return new Uint8Array(size);
    let length = POOLED_BYTES_MIN;
    while (length < size) length *= 2;
    const idle = this.#idle.get(length)?.pop();
    if (idle) this.#idleBytes -= length;
    return idle ?? new Uint8Array(length);
  }

  /** Takes a buffer back. */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (length < POOLED_BYTES_MIN || this.#idleBytes + length > IDLE_BYTES_MAX) return;
    const list = this.#idle.get(length) ?? [];
    list.push(buffer);
    this.#idle.set(length, list);
    this.#idleBytes += length;
  }
}
