/** Prices of upload bandwidth, and what bytes cost at one. */
import { type Atto, atto, parseBtt } from './atto.ts';
import type { Branded } from './brand.ts';
import { type Bytes, MIB } from './bytes.ts';
import { assert } from './errors.ts';

/** Price of one MiB of delivered payload, in atto. The unit of the wire protocol. */
export type AttoPerMib = Branded<bigint, 'AttoPerMib'>;

/** Spending rate of a bid, in atto a second. */
export type AttoPerSecond = Branded<bigint, 'AttoPerSecond'>;

const MIB_BIG = BigInt(MIB);

/** Brands a price; negative is our own mistake. */
export function attoPerMib(value: bigint): AttoPerMib {
  assert(value >= 0n, () => `price ${value} is negative`);
  return value as AttoPerMib;
}

/** Brands a spending rate; negative is our own mistake. */
export function attoPerSecond(value: bigint): AttoPerSecond {
  assert(value >= 0n, () => `budget ${value} is negative`);
  return value as AttoPerSecond;
}

/**
 * What `size` costs at `price`, rounded up to a whole atto.
 *
 * Up, because the seller has already sent the data: rounding down would let a buyer take many
 * small blocks for nothing.
 */
export function costOf(size: Bytes, price: AttoPerMib): Atto {
  return atto((BigInt(size) * price + MIB_BIG - 1n) / MIB_BIG);
}

/** Reads a price per GiB as a person types it (`2.5`), rounded down to atto per MiB. */
export function parseBttPerGib(text: string): AttoPerMib {
  return attoPerMib(parseBtt(text) / 1024n);
}

/** The same price per GiB in atto. Exact. */
export function perGib(price: AttoPerMib): Atto {
  return atto(price * 1024n);
}
