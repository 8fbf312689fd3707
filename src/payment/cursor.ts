/** Writes the fixed layouts of Solidity: big-endian numbers and hashes at known places. */
import type { Address, Hash32 } from '../units/index.ts';

const LOW_64 = (1n << 64n) - 1n;

/** A buffer of fixed length, filled field by field. It is reused: read it before the next fill. */
export class Cursor {
  /** All of the buffer. Changes with the next write. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  putUint8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  putUint128(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value >> 64n);
    this.#view.setBigUint64(at + 8, value & LOW_64);
  }

  /** A safe integer as a number of 8 bytes. */
  putUint64(at: number, value: number): void {
    this.#view.setUint32(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  /** The 20 or 32 bytes of a hash. */
  putHash(at: number, hash: Address | Hash32): void {
    for (let digit = 2, to = at; digit < hash.length; digit += 2, to++) {
      this.bytes[to] = (nibble(hash, digit) << 4) | nibble(hash, digit + 1);
    }
  }

  putBytes(at: number, view: Uint8Array): void {
    this.bytes.set(view, at);
  }
}

/** A lower-case hex digit, as `Address` and `Hash32` promise: 0-9 is 0x30 up, a-f is 0x61 up. */
function nibble(hash: string, at: number): number {
  const code = hash.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}
