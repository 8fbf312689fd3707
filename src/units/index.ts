/**
 * The vocabulary every layer shares: amounts, sizes, rates, time, bitfields, errors.
 *
 * Imports nothing and does nothing. It must never learn what a peer, a torrent or a chain is.
 * Start with `atto.ts` and `bytes.ts`; the rest are small.
 *
 * @module
 */
export {
  ATTO_MAX,
  ATTO_PER_BTT,
  type Atto,
  addAtto,
  atto,
  formatBtt,
  minAtto,
  parseAtto,
  parseBtt,
  subtractAttoFloor,
  ZERO_ATTO,
} from './atto.ts';
export { Bitfield } from './bitfield.ts';
export type { Branded } from './brand.ts';
export {
  BLOCK_BYTES,
  type Bytes,
  type BytesPerSecond,
  bytes,
  bytesPerSecond,
  formatSize,
  GIB,
  KIB,
  MIB,
  parseRate,
  parseSize,
  UNLIMITED,
} from './bytes.ts';
export { AppError, AssertionFailure, assert, type ErrorDetails } from './errors.ts';
export {
  type Address,
  addressFromBytes,
  type Hash32,
  hash32FromBytes,
  hashBytes,
  parseAddress,
  parseHash32,
  ZERO_ADDRESS,
} from './hash.ts';
export { concatBytes, equalBytes, fromHex, toHex } from './hex.ts';
export { bracketed, hostAndPort, unbracketed } from './host-text.ts';
export {
  type AttoPerMib,
  type AttoPerSecond,
  attoPerMib,
  attoPerSecond,
  costOf,
  parseBttPerGib,
  perGib,
} from './price.ts';
export { type Random, randomInt, seededRandom, shuffle } from './random.ts';
export { type Instant, instant, type UnixSeconds, unixSeconds } from './time.ts';
export { UnitsError, type UnitsErrorCode } from './units-error.ts';
