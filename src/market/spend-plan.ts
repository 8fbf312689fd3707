/**
 * The buyer's plan: how much to spend a second, and on whom. Each interval a tenth of the spending
 * moves from the lane that is dearest per verified byte to the cheapest.
 */
import {
  type Atto,
  type AttoPerMib,
  type AttoPerSecond,
  assert,
  attoPerSecond,
  type Instant,
  MIB,
  minAtto,
} from '../units/index.ts';

/** How often the plan is changed: once a clearing round of the sellers. */
export const REBALANCE_INTERVAL_MS = 10_000;

/** The budget is planned over at least this long, so that a moment's luck cannot burn it. */
const HORIZON_SECONDS_MIN = 10;

/** And over at most this long: a slow download should bid to become a fast one. */
const HORIZON_SECONDS_MAX = 60;

/** Shares are counted in parts of a million: whole numbers, so that nothing leaks. */
export const SHARE_UNIT = 1_000_000;

/** What moves per interval: a tenth of all spending. */
const SHIFT = SHARE_UNIT / 10;

/**
 * No lane falls below one part in fifty: every seller stays explored, one of them a little more.
 */
const SHARE_MIN_DIVISOR = 50;

/** What one seller's lane brought in the last interval. */
export interface LaneResult {
  readonly key: number;
  /** Paid or owed in the interval. */
  readonly spent: Atto;
  /** Verified payload of the interval, in bytes. */
  readonly verifiedBytes: number;
}

/** What limits a buyer's spending now. */
export interface SpendLimits {
  readonly now: Instant;
  /** Left of the budget. */
  readonly budgetLeft: Atto;
  readonly maxPrice: AttoPerMib;
  /** Still to be downloaded in bytes; null while unknown. */
  readonly remainingBytes: number | null;
  /** From all peers together, bytes a second. */
  readonly downloadRate: number;
  /** When it should be done; null when there is no hurry. */
  readonly deadline: Instant | null;
}

/**
 * Spending rate over all lanes, rounded down, to the buyer's benefit.
 *
 * The money that could possibly be needed (what remains at the highest price, at most the budget)
 * spread over the time that is left: to the deadline, else at the present speed.
 */
export function spendingRate(limits: SpendLimits): AttoPerSecond {
  const { budgetLeft, remainingBytes, maxPrice } = limits;
  const seconds = Math.max(HORIZON_SECONDS_MIN, Math.ceil(horizonSeconds(limits)));
  if (remainingBytes === null) return attoPerSecond(budgetLeft / BigInt(seconds));
  const most = ((BigInt(Math.ceil(remainingBytes)) * maxPrice) / BigInt(MIB)) as Atto;
  return attoPerSecond(minAtto(budgetLeft, most) / BigInt(seconds));
}

function horizonSeconds(limits: SpendLimits): number {
  if (limits.deadline !== null) return (limits.deadline - limits.now) / 1000;
  // Before the first byte the shortest time is hoped for: a bid too high costs a lone buyer
  // nothing,
  // and is corrected within a clearing round, in which the price moves by a quarter at most.
  if (limits.downloadRate < 1) return HORIZON_SECONDS_MIN;
  if (limits.remainingBytes === null) return HORIZON_SECONDS_MAX;
  return Math.min(HORIZON_SECONDS_MAX, limits.remainingBytes / limits.downloadRate);
}

/** Who gets which part of the spending. Parts are whole and always add up to `SHARE_UNIT`. */
export class SpendPlan {
  #shares = new Map<number, number>();

  /** This lane's part of `SHARE_UNIT`; 0 when it is not in the plan. */
  shareOf(key: number): number {
    return this.#shares.get(key) ?? 0;
  }

  get laneCount(): number {
    return this.#shares.size;
  }

  /** Adds a lane with an equal part, taken from all the others in proportion. */
  add(key: number): void {
    if (this.#shares.has(key)) return;
    const equal = Math.floor(SHARE_UNIT / (this.#shares.size + 1));
    this.#scaleTo(SHARE_UNIT - equal);
    this.#shares.set(key, SHARE_UNIT - this.#total());
  }

  /** Takes a lane out; its part goes to the others in proportion. */
  remove(key: number): void {
    if (this.#shares.delete(key)) this.#scaleTo(SHARE_UNIT);
  }

  /**
   * Moves a tenth from the dearest lane to the cheapest, by `spent` per verified byte. A lane that
   * took money and verified nothing is the dearest; one that moved neither is left alone.
   */
  rebalance(results: readonly LaneResult[]): void {
    const judged = results.filter(
      (lane) => this.#shares.has(lane.key) && (lane.spent > 0n || lane.verifiedBytes > 0),
    );
    if (judged.length < 2) return;
    let [dearest, cheapest] = [judged[0] as LaneResult, judged[0] as LaneResult];
    for (const lane of judged) {
      if (isDearer(lane, dearest)) dearest = lane;
      if (isDearer(cheapest, lane)) cheapest = lane;
    }
    if (!isDearer(dearest, cheapest)) return;
    const least = Math.floor(SHARE_UNIT / (SHARE_MIN_DIVISOR * this.#shares.size));
    const moved = Math.min(SHIFT, Math.max(0, this.shareOf(dearest.key) - least));
    this.#shares.set(dearest.key, this.shareOf(dearest.key) - moved);
    this.#shares.set(cheapest.key, this.shareOf(cheapest.key) + moved);
  }

  /** Scales all parts so that they add up to `total`; rounding goes to the first lane. */
  #scaleTo(total: number): void {
    const before = this.#total();
    if (before === 0) return;
    for (const [key, share] of this.#shares) {
      this.#shares.set(key, Math.floor((share * total) / before));
    }
    const first = this.#shares.keys().next().value;
    assert(first !== undefined, 'a plan with a total has a lane');
    this.#shares.set(first, this.shareOf(first) + total - this.#total());
  }

  #total(): number {
    let total = 0;
    for (const share of this.#shares.values()) total += share;
    return total;
  }
}

/** Whether `a` cost more per verified byte than `b`; cross-multiplied, so nothing is rounded. */
function isDearer(a: LaneResult, b: LaneResult): boolean {
  const left = a.spent * BigInt(b.verifiedBytes);
  const right = b.spent * BigInt(a.verifiedBytes);
  if (left !== right) return left > right;
  return a.verifiedBytes === 0 && b.verifiedBytes > 0;
}
