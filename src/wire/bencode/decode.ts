/** Bencode from untrusted bytes: iterative, with named bounds on depth, tokens and length. */
import { WireError } from '../wire-error.ts';
import { decodeLatin1 } from './utf8.ts';
import { BencodeDict, type BencodeValue } from './value.ts';

/** Bounds on one decoding; what is left out has the default below. */
export interface BencodeLimits {
  readonly lengthBytesMax?: number;
  readonly depthMax?: number;
  readonly tokensMax?: number;
}

/** A decoded value, and where the bytes after it begin (ut_metadata's block, BEP 9). */
export interface BencodePrefix {
  readonly value: BencodeValue;
  readonly end: number;
}

/** Nesting must stay below this, as in libtorrent's `max_decode_depth`. */
export const BENCODE_DEPTH_MAX: number = 100;

/** Keys, values and ends of containers, as in libtorrent's `max_decode_tokens`. */
export const BENCODE_TOKENS_MAX: number = 3_000_000;

/** The default cap on the input: the largest .torrent file we read. */
export const BENCODE_LENGTH_BYTES_MAX: number = 64 * 1024 * 1024;

/** Digits of an integer or of a string's length; more is an attack. */
const DIGITS_MAX = 20;

const COLON = 0x3a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_D = 0x64;
const LETTER_E = 0x65;
const LETTER_I = 0x69;
const LETTER_L = 0x6c;
const MINUS = 0x2d;

/**
 * Decodes a value that fills `view`; bytes after it are refused. Strings borrow from `view`.
 *
 * @throws WireError WIRE_BENCODE
 */
export function decodeBencode(view: Uint8Array, limits: BencodeLimits = {}): BencodeValue {
  const { value, end } = decodeBencodePrefix(view, limits);
  if (end !== view.length) fail(`${view.length - end} bytes follow the value`, end);
  return value;
}

/**
 * Decodes the value at the start of `view`, whatever follows it. Strings borrow from `view`.
 *
 * Accepts what libtorrent 2 accepts: keys unsorted or repeated (the first counts) and leading
 * zeros pass, and are noted in `DictSpan.isCanonical`; integers have at most 20 digits.
 *
 * @throws WireError WIRE_BENCODE
 */
export function decodeBencodePrefix(view: Uint8Array, limits: BencodeLimits = {}): BencodePrefix {
  return new Decoder(view, limits).run();
}

/** Decodes a dictionary that fills `view`: what every message of an extension is. */
export function decodeBencodeDict(view: Uint8Array, limits: BencodeLimits = {}): BencodeDict {
  const value = decodeBencode(view, limits);
  if (!(value instanceof BencodeDict)) fail('the value is not a dictionary', 0);
  return value;
}

/** A container whose end has not been read. */
interface Frame {
  readonly start: number;
  readonly list: BencodeValue[];
  /** Null for a list. */
  readonly entries: Map<string, BencodeValue> | null;
  /** The key read, while its value is awaited. */
  key: string | null;
  lastKey: string | null;
  isCanonical: boolean;
}

class Decoder {
  readonly #view: Uint8Array;
  readonly #depthMax: number;
  readonly #stack: Frame[] = [];
  #tokensLeft: number;
  #at = 0;
  #isCanonical = true;

  constructor(view: Uint8Array, limits: BencodeLimits) {
    const lengthMax = limits.lengthBytesMax ?? BENCODE_LENGTH_BYTES_MAX;
    if (view.length > lengthMax) {
      fail(`${view.length} bytes are more than the ${lengthMax} allowed`, 0);
    }
    this.#view = view;
    this.#depthMax = limits.depthMax ?? BENCODE_DEPTH_MAX;
    this.#tokensLeft = limits.tokensMax ?? BENCODE_TOKENS_MAX;
  }

  run(): BencodePrefix {
    for (;;) {
      const value = this.#step();
      if (value === null) continue;
      const parent = this.#stack.at(-1);
      if (parent === undefined) return { value, end: this.#at };
      if (!this.#isCanonical) parent.isCanonical = false;
      if (parent.entries === null) {
        parent.list.push(value);
      } else if (parent.key !== null) {
        if (!parent.entries.has(parent.key)) parent.entries.set(parent.key, value);
        parent.key = null;
      }
    }
  }

  /** Reads one token; null while no value is complete. */
  #step(): BencodeValue | null {
    const byte = this.#view[this.#at];
    if (byte === undefined) fail('the input ends inside a value', this.#at);
    if (this.#stack.length >= this.#depthMax) fail(`nested ${this.#depthMax} deep`, this.#at);
    if (--this.#tokensLeft < 0) fail('too many values', this.#at);
    const frame = this.#stack.at(-1);
    if (byte === LETTER_E) return this.#close(frame);
    if (frame !== undefined && frame.entries !== null && frame.key === null) {
      this.#readKey(frame, byte);
      return null;
    }
    this.#isCanonical = true;
    if (isDigit(byte)) return this.#readBytes();
    if (byte === LETTER_I) return this.#readInteger();
    if (byte !== LETTER_D && byte !== LETTER_L) {
      fail(`byte ${byte} starts no value`, this.#at);
    }
    this.#stack.push({
      start: this.#at++,
      list: [],
      entries: byte === LETTER_D ? new Map() : null,
      key: null,
      lastKey: null,
      isCanonical: true,
    });
    return null;
  }

  #close(frame: Frame | undefined): BencodeValue {
    if (frame === undefined) fail('an end without a beginning', this.#at);
    if (frame.key !== null) fail(`key '${frame.key.slice(0, 40)}' has no value`, this.#at);
    this.#at++;
    this.#stack.pop();
    const { start, isCanonical } = frame;
    this.#isCanonical = isCanonical;
    return frame.entries === null
      ? frame.list
      : new BencodeDict(frame.entries, { start, end: this.#at, isCanonical });
  }

  #readKey(frame: Frame, byte: number): void {
    if (!isDigit(byte)) fail('a dictionary key is not a string', this.#at);
    this.#isCanonical = true;
    const key = decodeLatin1(this.#readBytes());
    const isAscending = frame.lastKey === null || frame.lastKey < key;
    if (!isAscending || !this.#isCanonical) frame.isCanonical = false;
    frame.key = key;
    frame.lastKey = key;
  }

  #readBytes(): Uint8Array {
    const view = this.#view;
    const start = this.#at;
    let at = start;
    let length = 0;
    for (; at < view.length && isDigit(view[at] ?? 0); at++) {
      length = length * 10 + ((view[at] ?? 0) - DIGIT_0);
      if (at - start >= DIGITS_MAX) fail('a string length has too many digits', start);
    }
    if (view[at] !== COLON) fail('a string length is not followed by a colon', at);
    if (view[start] === DIGIT_0 && at - start > 1) this.#isCanonical = false;
    at++;
    if (length > view.length - at) fail(`a string of ${length} bytes is cut short`, start);
    this.#at = at + length;
    return view.subarray(at, at + length);
  }

  #readInteger(): number | bigint {
    const view = this.#view;
    const isNegative = view[this.#at + 1] === MINUS;
    const start = this.#at + (isNegative ? 2 : 1);
    let at = start;
    let value = 0;
    for (; at < view.length && isDigit(view[at] ?? 0); at++) {
      value = value * 10 + ((view[at] ?? 0) - DIGIT_0);
      if (at - start >= DIGITS_MAX) fail('an integer has too many digits', start);
    }
    if (at === start || view[at] !== LETTER_E) fail('an integer is not digits ended by e', at);
    if (view[start] === DIGIT_0 && at - start > 1 && !isNegative) this.#isCanonical = false;
    this.#at = at + 1;
    if (Number.isSafeInteger(value)) return isNegative && value !== 0 ? -value : value;
    const exact = BigInt(decodeLatin1(view.subarray(start, at)));
    return isNegative ? -exact : exact;
  }
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function fail(problem: string, at: number): never {
  throw new WireError('WIRE_BENCODE', `not bencode: ${problem} at byte ${at}`, { at });
}
