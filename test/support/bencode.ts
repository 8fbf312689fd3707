/**
 * A bencode reader and writer just big enough for the harness. It is not `src/wire`'s on purpose:
 * a test of two programs must not share a codec with one of them.
 */

/** A bencoded value; strings are bytes (written as UTF-8 when given as text). */
export type Bencodable =
  | number
  | string
  | Uint8Array
  | readonly Bencodable[]
  | { readonly [key: string]: Bencodable };

/** A decoded value: every string is bytes; dictionary keys are Latin-1 text, in file order. */
export type Bdecoded = number | Uint8Array | Bdecoded[] | Map<string, Bdecoded>;

/** The value as bencode, dictionary keys sorted as raw bytes. */
export function bencode(value: Bencodable): Uint8Array {
  return Buffer.concat(partsOf(value));
}

/** The first value in `source`, with the byte range of each entry of the outermost dictionary. */
export function bdecode(source: Uint8Array): {
  readonly value: Bdecoded;
  readonly ranges: ReadonlyMap<string, readonly [start: number, end: number]>;
} {
  const reader = { source: Buffer.from(source), at: 0 };
  const ranges = new Map<string, readonly [number, number]>();
  return { value: read(reader, ranges), ranges };
}

function partsOf(value: Bencodable): Uint8Array[] {
  if (typeof value === 'number') return [Buffer.from(`i${value}e`)];
  if (typeof value === 'string') return partsOf(Buffer.from(value));
  if (value instanceof Uint8Array) return [Buffer.from(`${value.length}:`), value];
  if (isList(value)) return [Buffer.from('l'), ...value.flatMap(partsOf), Buffer.from('e')];
  const entries = Object.entries(value).sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const parts = entries.flatMap(([key, child]) => [...partsOf(key), ...partsOf(child)]);
  return [Buffer.from('d'), ...parts, Buffer.from('e')];
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value);
}

interface Reader {
  readonly source: Buffer;
  at: number;
}

function read(reader: Reader, ranges?: Map<string, readonly [number, number]>): Bdecoded {
  const tag = String.fromCharCode(reader.source[reader.at] ?? 0);
  if (tag === 'i') return numberUpTo(reader, 'e', 1);
  if (tag === 'l') {
    const list: Bdecoded[] = [];
    for (reader.at += 1; !isEnd(reader); ) list.push(read(reader));
    reader.at += 1;
    return list;
  }
  if (tag === 'd') {
    const entries = new Map<string, Bdecoded>();
    for (reader.at += 1; !isEnd(reader); ) {
      const key = Buffer.from(stringAt(reader)).toString('latin1');
      const start = reader.at;
      entries.set(key, read(reader));
      ranges?.set(key, [start, reader.at]);
    }
    reader.at += 1;
    return entries;
  }
  return stringAt(reader);
}

function stringAt(reader: Reader): Uint8Array {
  const length = numberUpTo(reader, ':', 0);
  if (reader.at + length > reader.source.length) throw new Error('bencode string cut short');
  reader.at += length;
  return reader.source.subarray(reader.at - length, reader.at);
}

function numberUpTo(reader: Reader, end: string, skip: number): number {
  const stop = reader.source.indexOf(end, reader.at);
  const value = Number(reader.source.toString('latin1', reader.at + skip, stop));
  if (stop < 0 || !Number.isSafeInteger(value)) throw new Error(`no number at ${reader.at}`);
  reader.at = stop + 1;
  return value;
}

function isEnd(reader: Reader): boolean {
  if (reader.at >= reader.source.length) throw new Error('bencode cut short');
  return reader.source[reader.at] === 0x65;
}
