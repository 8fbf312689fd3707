/** When a lane is worth its transaction, and which lanes go into the next one. */
import { type Atto, assert, atto, type Hash32, type UnixSeconds } from '../units/index.ts';
import { CLAIM_MARGIN_SECONDS } from './lane-book.ts';

/** A lane is claimed early only when it earned this many times its share of the gas (2 %). */
export const CLAIM_WORTH_FACTOR = 50n;

/**
 * Gas of a claim transaction: once, and for each lane. Taken high, from `contracts/gas.json`: the
 * account's first credit, each lane the first of its allotment, and a path of seven.
 */
export const CLAIM_GAS_BASE = 41_000n;
export const CLAIM_GAS_PER_LANE = 48_000n;

/** Lanes in one transaction, at most: 2.4 million gas, far below any block. */
export const CLAIM_LANES_MAX = 50;

/** A lane with something in it. */
export interface ClaimCandidate {
  readonly allotment: Hash32;
  readonly lane: number;
  /** The best voucher on disk. */
  readonly best: Atto;
  readonly cap: Atto;
  readonly expiry: UnixSeconds;
  /** Its buyer may still send vouchers. A claim ends the lane for good, so it is left to grow. */
  readonly isActive: boolean;
}

/** What claiming costs now. */
export interface ClaimCosts {
  readonly now: UnixSeconds;
  readonly attoPerGas: Atto;
}

/**
 * Whether a lane should be claimed now when `gasShare` is its part of the transaction's cost.
 *
 * Near expiry everything that brings more than it costs; before, only what earned fifty times its
 * share and will earn no more. Waiting costs nothing: before expiry nobody can take a lane away.
 */
export function isWorthClaiming(
  candidate: ClaimCandidate,
  gasShare: Atto,
  now: UnixSeconds,
): boolean {
  if (candidate.best <= gasShare || now > candidate.expiry) return false;
  if (isNearExpiry(candidate, now)) return true;
  const willEarnMore = candidate.isActive && candidate.best < candidate.cap;
  return !willEarnMore && candidate.best >= CLAIM_WORTH_FACTOR * gasShare;
}

/** A lane's part of the cost of a transaction with `laneCount` claims, rounded up. */
export function gasShareOf(laneCount: number, attoPerGas: Atto): Atto {
  assert(laneCount >= 1, 'a claim transaction has a lane');
  const lanes = BigInt(laneCount);
  return atto(((CLAIM_GAS_BASE + CLAIM_GAS_PER_LANE * lanes) * attoPerGas + lanes - 1n) / lanes);
}

/**
 * The lanes of the next claim transaction, dearest deadline first, at most `CLAIM_LANES_MAX`.
 *
 * Each pays for its share in the batch that results; fewer lanes make larger shares, so lanes are
 * dropped until all that are left are worth it.
 */
export function planClaims(
  candidates: readonly ClaimCandidate[],
  costs: ClaimCosts,
): readonly ClaimCandidate[] {
  let batch = [...candidates].sort((a, b) => byUrgency(a, b, costs.now)).slice(0, CLAIM_LANES_MAX);
  while (batch.length > 0) {
    const share = gasShareOf(batch.length, costs.attoPerGas);
    const worth = batch.filter((lane) => isWorthClaiming(lane, share, costs.now));
    if (worth.length === batch.length) return batch;
    batch = worth;
  }
  return batch;
}

function isNearExpiry(candidate: ClaimCandidate, now: UnixSeconds): boolean {
  return candidate.expiry - now <= CLAIM_MARGIN_SECONDS;
}

function byUrgency(a: ClaimCandidate, b: ClaimCandidate, now: UnixSeconds): number {
  const urgency = Number(isNearExpiry(b, now)) - Number(isNearExpiry(a, now));
  if (urgency !== 0) return urgency;
  return b.best > a.best ? 1 : b.best < a.best ? -1 : 0;
}
