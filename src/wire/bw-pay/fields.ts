/** The kinds of field in `bw_pay` messages: how each is checked, read and written. */
import {
  type Address,
  type Atto,
  type AttoPerMib,
  type AttoPerSecond,
  addressFromBytes,
  assert,
  atto,
  attoPerMib,
  attoPerSecond,
  type Bytes,
  bytes,
  type Hash32,
  hash32FromBytes,
  hashBytes,
} from '../../units/index.ts';
import type { BencodeDict } from '../bencode/index.ts';
import { WireError } from '../wire-error.ts';
import { BW_PAY_INTEGER_MAX, BW_PAY_PRICE_MAX } from './messages.ts';

/** Bytes of an amount, at most: 128 bits. */
const AMOUNT_BYTES_MAX = 16;

/** Bytes of a price or budget, at most: 96 bits. */
const PRICE_BYTES_MAX = 12;

/** Reads one message's fields; everything missing, mistyped or out of range throws `WireError`. */
export class FieldReader {
  readonly #dict: BencodeDict;

  constructor(dict: BencodeDict) {
    this.#dict = dict;
  }

  /** An integer of `least` … `most`. */
  integer(key: string, least: number, most: number): number {
    const value = this.#dict.integer(key);
    if (value === null || value < least || value > most) {
      fail(`'${key}' is not an integer of ${least} to ${most}`);
    }
    return value;
  }

  /** A size or rate in bytes, up to 256 TiB. */
  size(key: string, least = 0): Bytes {
    return bytes(this.integer(key, least, BW_PAY_INTEGER_MAX));
  }

  /** An amount of up to 16 bytes. */
  amount(key: string): Atto {
    return atto(readUint(key, this.#string(key), AMOUNT_BYTES_MAX));
  }

  /** A price of up to 12 bytes. */
  price(key: string): AttoPerMib {
    return attoPerMib(readUint(key, this.#string(key), PRICE_BYTES_MAX));
  }

  /** A spending rate of up to 12 bytes. */
  budget(key: string): AttoPerSecond {
    return attoPerSecond(readUint(key, this.#string(key), PRICE_BYTES_MAX));
  }

  address(key: string): Address {
    return addressFromBytes(this.#fixed(key, 20));
  }

  hash(key: string): Hash32 {
    return hash32FromBytes(this.#fixed(key, 32));
  }

  /** A copy of the 65 bytes. */
  signature(key: string): Uint8Array {
    return this.#fixed(key, 65).slice();
  }

  /** Up to seven steps of `hash:32 ‖ sum:16`. */
  path(key: string, stepsMax: number): { readonly hash: Hash32; readonly sum: Atto }[] {
    const packed = this.#string(key);
    if (packed.length % 48 !== 0 || packed.length > 48 * stepsMax) {
      fail(`'${key}' has ${packed.length} bytes, not up to ${stepsMax} steps of 48`);
    }
    return Array.from({ length: packed.length / 48 }, (_, step) => ({
      hash: hash32FromBytes(packed.subarray(step * 48, step * 48 + 32)),
      sum: atto(bigEndian(packed.subarray(step * 48 + 32, step * 48 + 48))),
    }));
  }

  /** A word of printable ASCII without spaces. */
  word(key: string, lengthMax: number): string {
    const view = this.#string(key);
    const isWord = view.length > 0 && view.every((byte) => byte > 0x20 && byte < 0x7f);
    if (!isWord || view.length > lengthMax) fail(`'${key}' is not a word of ASCII`);
    return printable(view);
  }

  /** Text for a log: every byte that is not printable ASCII becomes a question mark. */
  text(key: string, lengthMax: number): string {
    const view = this.#string(key);
    if (view.length > lengthMax) fail(`'${key}' is longer than ${lengthMax} bytes`);
    return printable(view);
  }

  #fixed(key: string, length: number): Uint8Array {
    const view = this.#string(key);
    if (view.length !== length) fail(`'${key}' has ${view.length} bytes, not ${length}`);
    return view;
  }

  #string(key: string): Uint8Array {
    const view = this.#dict.bytes(key);
    if (view === null) fail(`'${key}' is missing or not a string`);
    return view;
  }
}

/** An amount in its shortest big-endian form; zero is the empty string. */
export function writeAmount(value: Atto): Uint8Array {
  const digits = value === 0n ? '' : value.toString(16);
  const view = new Uint8Array((digits.length + 1) >> 1);
  putBigEndian(view, value);
  return view;
}

/** A price or budget; one above `BW_PAY_PRICE_MAX` is our own mistake. */
export function writePrice(value: AttoPerMib | AttoPerSecond): Uint8Array {
  assert(value <= BW_PAY_PRICE_MAX, `price or budget of ${value} is above what the wire carries`);
  return writeAmount(atto(value));
}

/** `hash:32 ‖ sum:16` for each step. */
export function writePath(
  path: readonly { readonly hash: Hash32; readonly sum: Atto }[],
): Uint8Array {
  const packed = new Uint8Array(path.length * 48);
  for (const [step, { hash, sum }] of path.entries()) {
    packed.set(hashBytes(hash), step * 48);
    putBigEndian(packed.subarray(step * 48 + 32, step * 48 + 48), sum);
  }
  return packed;
}

/**
 * Cut to `lengthMax` characters, and every character that is not printable ASCII a question mark.
 */
export function writeText(text: string, lengthMax: number): Uint8Array {
  return Uint8Array.from(text.slice(0, lengthMax), (character) => {
    const code = character.charCodeAt(0);
    return code >= 0x20 && code < 0x7f ? code : 0x3f;
  });
}

/** Somebody sent what the specification does not allow. */
export function fail(problem: string, options?: ErrorOptions): never {
  throw new WireError('WIRE_BW_PAY', `not a bw_pay message: ${problem}`, {}, options);
}

function readUint(key: string, view: Uint8Array, lengthMax: number): bigint {
  if (view.length > lengthMax) fail(`'${key}' is longer than ${lengthMax} bytes`);
  if (view[0] === 0) fail(`'${key}' begins with a zero byte`);
  return bigEndian(view);
}

function bigEndian(view: Uint8Array): bigint {
  let value = 0n;
  for (const byte of view) value = (value << 8n) | BigInt(byte);
  return value;
}

function putBigEndian(view: Uint8Array, value: bigint): void {
  let rest = value;
  for (let at = view.length - 1; at >= 0; at--, rest >>= 8n) view[at] = Number(rest & 0xffn);
}

function printable(view: Uint8Array): string {
  let text = '';
  for (const byte of view) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  return text;
}
