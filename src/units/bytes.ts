/** Sizes and rates in bytes, and reading them as people write them. */
import type { Branded } from './brand.ts';
import { assert } from './errors.ts';
import { UnitsError } from './units-error.ts';

/** Payload bytes. A safe integer: 2^53 bytes is 9 PB, past any torrent. */
export type Bytes = Branded<number, 'Bytes'>;

/** Bytes per second, not necessarily whole. `Infinity` means unlimited. */
export type BytesPerSecond = Branded<number, 'BytesPerSecond'>;

/** Binary multiples of a byte: 2^10, 2^20, 2^30. */
export const KIB: number = 1024;
/** 2^20 bytes. */
export const MIB: number = 1024 * KIB;
/** 2^30 bytes. */
export const GIB: number = 1024 * MIB;

/** What is requested at a time (BEP 3); the last block of a torrent may be shorter. */
export const BLOCK_BYTES: number = 16 * KIB;

/** Brands a size; out of range is our own mistake, so it fails an assertion. */
export function bytes(value: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is not a size in bytes`);
  return value as Bytes;
}

/** Brands a rate; negative or NaN is our own mistake. */
export function bytesPerSecond(value: number): BytesPerSecond {
  assert(value >= 0, () => `${value} is not a rate`);
  return value as BytesPerSecond;
}

/** No limit on a rate. */
export const UNLIMITED: BytesPerSecond = bytesPerSecond(Infinity);

const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: KIB,
  kib: KIB,
  kb: 1000,
  m: MIB,
  mib: MIB,
  mb: 1e6,
  g: GIB,
  gib: GIB,
  gb: 1e9,
};

/** Reads `16384`, `256K`, `1.5MiB`, `2GB` (binary without the B or with iB), rounded down. */
export function parseSize(text: string): Bytes {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const unit = match ? SUFFIX[match[2] ?? ''] : undefined;
  const value = match && unit !== undefined ? Math.floor(Number(match[1]) * unit) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new UnitsError('UNITS_SIZE', `'${text}' is not a size: use for example 512K or 4MiB`);
  }
  return bytes(value);
}

/** Reads a rate such as `2M`, `500KiB/s` or `unlimited`. Zero is not a rate anybody wants. */
export function parseRate(text: string): BytesPerSecond {
  if (text.trim().toLowerCase() === 'unlimited') return UNLIMITED;
  const size = parseSize(text.trim().replace(/\/s$/i, ''));
  if (size === 0) {
    throw new UnitsError(
      'UNITS_SIZE',
      `rate '${text}' is zero: give a rate like 500K or unlimited`,
    );
  }
  return bytesPerSecond(size);
}

/** `1.5 MiB`: three significant digits for the screen. */
export function formatSize(size: number): string {
  if (size < KIB) return `${Math.round(size)} B`;
  const [unit, name] =
    size < MIB ? [KIB, 'KiB'] : size < GIB ? [MIB, 'MiB'] : ([GIB, 'GiB'] as const);
  const value = size / unit;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${name}`;
}
