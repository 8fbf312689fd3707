/** Canonical bencode: dictionary keys in raw byte order, integers in their one form (BEP 3). */
import { assert } from '../../units/index.ts';
import { decodeLatin1, encodeUtf8 } from './utf8.ts';
import { BencodeDict } from './value.ts';

/** Bytes that are bencode already and go out as they are: an info dictionary that was hashed. */
export class RawBencode {
  readonly view: Uint8Array;

  /** Borrows `view`. */
  constructor(view: Uint8Array) {
    this.view = view;
  }
}

/**
 * What can be encoded. A string is written as UTF-8. Keys have one character per byte, like those
 * of `BencodeDict`; a property whose value is undefined is left out.
 */
export type Bencodable =
  | number
  | bigint
  | string
  | Uint8Array
  | RawBencode
  | BencodeDict
  | readonly Bencodable[]
  | ReadonlyMap<string, Bencodable>
  | { readonly [key: string]: Bencodable | undefined };

const LETTER_D = 0x64;
const LETTER_E = 0x65;
const LETTER_L = 0x6c;

/** Nesting beyond this is a cycle in our own data. */
const DEPTH_MAX = 200;

/** Encodes a value of our own making; one that cannot be encoded fails an assertion. */
export function encodeBencode(value: Bencodable): Uint8Array {
  const writer = new Writer();
  writeValue(writer, value, 0);
  return writer.finish();
}

function writeValue(writer: Writer, value: Bencodable, depth: number): void {
  assert(depth < DEPTH_MAX, 'a value to encode is nested too deep');
  if (typeof value === 'number' || typeof value === 'bigint') {
    assert(typeof value === 'bigint' || Number.isSafeInteger(value), `${value} is no integer`);
    writer.ascii(`i${value}e`);
  } else if (typeof value === 'string') {
    writer.string(encodeUtf8(value));
  } else if (value instanceof Uint8Array) {
    writer.string(value);
  } else if (value instanceof RawBencode) {
    writer.bytes(value.view);
  } else if (isList(value)) {
    writer.byte(LETTER_L);
    for (const item of value) writeValue(writer, item, depth + 1);
    writer.byte(LETTER_E);
  } else {
    writer.byte(LETTER_D);
    for (const [key, item] of sortedEntries(value)) {
      writer.string(keyBytes(key));
      writeValue(writer, item, depth + 1);
    }
    writer.byte(LETTER_E);
  }
}

type Dictionary =
  | BencodeDict
  | ReadonlyMap<string, Bencodable>
  | { readonly [key: string]: Bencodable | undefined };

function sortedEntries(dictionary: Dictionary): readonly (readonly [string, Bencodable])[] {
  const entries: (readonly [string, Bencodable])[] = [];
  const source =
    dictionary instanceof BencodeDict || isMap(dictionary)
      ? dictionary.entries()
      : Object.entries(dictionary);
  for (const [key, value] of source) if (value !== undefined) entries.push([key, value]);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function isMap(dictionary: Dictionary): dictionary is ReadonlyMap<string, Bencodable> {
  return dictionary instanceof Map;
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value);
}

function keyBytes(key: string): Uint8Array {
  const view = new Uint8Array(key.length);
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    assert(code < 256, `dictionary key '${key}' has a character that is not a byte`);
    view[at] = code;
  }
  return view;
}

/** A dictionary key from bytes, one character each. */
export function bencodeKey(view: Uint8Array): string {
  return decodeLatin1(view);
}

/** A buffer that grows. */
class Writer {
  #view: Uint8Array = new Uint8Array(256);
  #at = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#view[this.#at++] = value;
  }

  bytes(view: Uint8Array): void {
    this.#reserve(view.length);
    this.#view.set(view, this.#at);
    this.#at += view.length;
  }

  ascii(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#view[this.#at++] = text.charCodeAt(at);
  }

  string(view: Uint8Array): void {
    this.ascii(`${view.length}:`);
    this.bytes(view);
  }

  finish(): Uint8Array {
    return this.#view.slice(0, this.#at);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#view.length) return;
    const grown = new Uint8Array(Math.max(this.#view.length * 2, this.#at + more));
    grown.set(this.#view.subarray(0, this.#at));
    this.#view = grown;
  }
}
