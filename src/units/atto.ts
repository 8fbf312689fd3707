/** BTT amounts. The token's smallest unit is the atto-BTT, 10^-18 BTT, always a bigint. */
import type { Branded } from './brand.ts';
import { assert } from './errors.ts';
import { UnitsError } from './units-error.ts';

/** An amount of 10^-18 BTT. Never negative, at most 2^128 - 1 (the contract's word for a sum). */
export type Atto = Branded<bigint, 'Atto'>;

/** The largest amount the contract can hold in one lane, allotment or claim. */
export const ATTO_MAX: bigint = (1n << 128n) - 1n;

/** One BTT in atto. */
export const ATTO_PER_BTT: bigint = 10n ** 18n;

/** Brands an amount; out of range is our own mistake, so it fails an assertion. */
export function atto(value: bigint): Atto {
  assert(value >= 0n && value <= ATTO_MAX, () => `atto amount ${value} is outside 0 .. 2^128-1`);
  return value as Atto;
}

/** No money. */
export const ZERO_ATTO: Atto = atto(0n);

/** Sum of two amounts. */
export function addAtto(a: Atto, b: Atto): Atto {
  return atto(a + b);
}

/** `a - b`, or zero when `b` is larger. */
export function subtractAttoFloor(a: Atto, b: Atto): Atto {
  return a > b ? atto(a - b) : ZERO_ATTO;
}

/** The smaller of two amounts. */
export function minAtto(a: Atto, b: Atto): Atto {
  return a < b ? a : b;
}

/** Reads a decimal string of atto, the form money has in JSON and in the database. */
export function parseAtto(text: string): Atto {
  if (!/^\d{1,39}$/.test(text)) {
    throw new UnitsError('UNITS_AMOUNT', `'${text}' is not an amount in atto: use digits only`);
  }
  return held(BigInt(text), `'${text}' atto`);
}

/** Reads a decimal BTT amount as a person types it: `12`, `0.5`, `1000.000000000000000001`. */
export function parseBtt(text: string): Atto {
  const match = /^(\d{1,21})(?:\.(\d{1,18}))?$/.exec(text.trim());
  if (!match) {
    throw new UnitsError(
      'UNITS_AMOUNT',
      `'${text}' is not a BTT amount: use a decimal number with at most 18 decimals, like 12.5`,
    );
  }
  const whole = BigInt(match[1] ?? '0') * ATTO_PER_BTT;
  return held(whole + BigInt((match[2] ?? '').padEnd(18, '0')), `'${text}' BTT`);
}

/** An amount somebody typed, when the contract can hold so much. */
function held(value: bigint, what: string): Atto {
  if (value > ATTO_MAX) {
    throw new UnitsError('UNITS_AMOUNT', `${what} is more than the contract can hold`);
  }
  return atto(value);
}

/** Exact decimal BTT, without trailing zeros. For the screen only. */
export function formatBtt(amount: Atto): string {
  const whole = amount / ATTO_PER_BTT;
  const fraction = (amount % ATTO_PER_BTT).toString().padStart(18, '0').replace(/0+$/, '');
  return fraction === '' ? `${whole}` : `${whole}.${fraction}`;
}
