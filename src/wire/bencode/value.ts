/** What a bencoded value becomes in memory (BEP 3). */
import { decodeUtf8 } from './utf8.ts';

/**
 * A decoded value. Integers are numbers while they are safe, else bigints; byte strings are views
 * into the decoded input (borrowed, not copied).
 */
export type BencodeValue = number | bigint | Uint8Array | readonly BencodeValue[] | BencodeDict;

/** Where a dictionary stood in the input, and whether it is as tidy as v2 torrents must be. */
export interface DictSpan {
  /** Offset of its `d`. */
  readonly start: number;
  /** Offset after its `e`. */
  readonly end: number;
  /**
   * Keys strictly ascending and no leading zeros, here and in everything inside. Zeros after a
   * minus pass, as in libtorrent.
   */
  readonly isCanonical: boolean;
}

/**
 * A decoded dictionary. Keys are byte strings with one character per byte (latin-1), so ASCII keys
 * read as themselves, binary ones survive, and `__proto__` is a key like any other.
 *
 * The typed getters answer null both for a missing key and for a value of another type: what
 * real clients do with a peer's odd message. Of a repeated key the first value counts.
 */
export class BencodeDict {
  readonly span: DictSpan;
  readonly #entries: ReadonlyMap<string, BencodeValue>;

  /** Borrows the map. */
  constructor(entries: ReadonlyMap<string, BencodeValue>, span: DictSpan) {
    this.#entries = entries;
    this.span = span;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): BencodeValue | undefined {
    return this.#entries.get(key);
  }

  /** A safe integer, or null. */
  integer(key: string): number | null {
    const value = this.#entries.get(key);
    return typeof value === 'number' ? value : null;
  }

  /** A byte string (borrowed), or null. */
  bytes(key: string): Uint8Array | null {
    const value = this.#entries.get(key);
    return value instanceof Uint8Array ? value : null;
  }

  /** A byte string read as UTF-8 with U+FFFD for what is not, or null. */
  text(key: string): string | null {
    const value = this.bytes(key);
    return value === null ? null : decodeUtf8(value);
  }

  list(key: string): readonly BencodeValue[] | null {
    const value = this.#entries.get(key);
    return isBencodeList(value) ? value : null;
  }

  dict(key: string): BencodeDict | null {
    const value = this.#entries.get(key);
    return value instanceof BencodeDict ? value : null;
  }

  /** In the order of the input. */
  entries(): IterableIterator<[string, BencodeValue]> {
    return this.#entries.entries();
  }
}

/** Whether a value is a list. */
export function isBencodeList(value: BencodeValue | undefined): value is readonly BencodeValue[] {
  return Array.isArray(value);
}
