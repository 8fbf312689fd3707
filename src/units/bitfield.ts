/** A set of piece indexes, kept in the wire's own bit order (BEP 3: high bit first). */
import { assert } from './errors.ts';

/** Which of `size` pieces are present. Counts as it goes, so `count` costs nothing. */
export class Bitfield {
  readonly size: number;
  readonly #bits: Uint8Array;
  #count = 0;

  constructor(size: number) {
    assert(Number.isSafeInteger(size) && size >= 0, () => `bitfield of ${size}`);
    this.size = size;
    this.#bits = new Uint8Array((size + 7) >> 3);
  }

  /** Copies wire bytes; null when the length is wrong or a spare bit is set (BEP 3: drop). */
  static fromBytes(view: Uint8Array, size: number): Bitfield | null {
    if (view.length !== (size + 7) >> 3) return null;
    const spare = view.length * 8 - size;
    if (spare > 0 && ((view[view.length - 1] ?? 0) & ((1 << spare) - 1)) !== 0) return null;
    const field = new Bitfield(size);
    field.#bits.set(view);
    for (let index = 0; index < size; index++) if (field.has(index)) field.#count++;
    return field;
  }

  /** How many are set. */
  get count(): number {
    return this.#count;
  }

  get isComplete(): boolean {
    return this.#count === this.size;
  }

  has(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
  }

  /** Adds an index; false when it was there already. */
  set(index: number): boolean {
    assert(index >= 0 && index < this.size, () => `bit ${index} of ${this.size}`);
    if (this.has(index)) return false;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | (0x80 >> (index & 7));
    this.#count++;
    return true;
  }

  /** Removes an index; false when it was not there. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) & ~(0x80 >> (index & 7));
    this.#count--;
    return true;
  }

  setAll(): void {
    for (let index = 0; index < this.size; index++) this.set(index);
  }

  /** A copy of the bytes as the wire wants them. */
  toBytes(): Uint8Array {
    return this.#bits.slice();
  }

  clone(): Bitfield {
    const copy = new Bitfield(this.size);
    copy.#bits.set(this.#bits);
    copy.#count = this.#count;
    return copy;
  }
}
