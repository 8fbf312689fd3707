/** When to open an allotment, for whom, and with what caps: one transaction for many sellers. */
import {
  type Address,
  type Atto,
  assert,
  atto,
  type Instant,
  minAtto,
  type UnixSeconds,
  unixSeconds,
} from '../units/index.ts';
import { LANES_MAX } from './lane-tree.ts';

/** A seller that waits for a lane. */
export interface LaneWish {
  readonly payee: Address;
  /** What the buyer would reserve for it. */
  readonly cap: Atto;
  readonly since: Instant;
}

/** How long wishes are gathered, in milliseconds. */
export interface GatherTimes {
  /** Nothing is opened before the oldest wish is this old … */
  readonly leastMs: number;
  /** … and then only when no new wish came for this long … */
  readonly quietMs: number;
  /** … but at this age of the oldest in any case. */
  readonly mostMs: number;
}

/** DESIGN 4.4: every 5 to 10 s while any wait. */
export const GATHER_TIMES: GatherTimes = { leastMs: 5_000, quietMs: 1_000, mostMs: 10_000 };

/** Term of an allotment in days: long enough for a claim of real value, short for locked money. */
export const TERM_DAYS_DEFAULT = 3;
export const TERM_DAYS_MIN = 1;
export const TERM_DAYS_MAX = 7;

const DAY_SECONDS = 86_400;

/** Whether the wishes should be made into an allotment now. Wishes are in order of arrival. */
export function isAllotmentDue(
  wishes: readonly LaneWish[],
  now: Instant,
  times: GatherTimes = GATHER_TIMES,
): boolean {
  const [oldest, newest] = [wishes[0], wishes[wishes.length - 1]];
  if (!oldest || !newest) return false;
  if (wishes.length >= LANES_MAX || now - oldest.since >= times.mostMs) return true;
  return now - oldest.since >= times.leastMs && now - newest.since >= times.quietMs;
}

/**
 * The lanes of the next allotment: the oldest 128 wishes, their caps cut down alike when
 * `available`
 * does not cover them. Rounds caps down; a lane cut below `capMin` is left out and waits.
 */
export function planLanes(
  wishes: readonly LaneWish[],
  purse: { readonly available: Atto; readonly capMin: Atto },
): readonly LaneWish[] {
  assert(purse.capMin > 0n, 'a lane of zero pays nobody');
  let chosen = wishes.filter((wish) => wish.cap >= purse.capMin).slice(0, LANES_MAX);
  while (chosen.length > 0) {
    const fitted = fitCaps(chosen, purse.available);
    if (fitted.every((wish) => wish.cap >= purse.capMin)) return fitted;
    // The youngest gives way, so that those who wait longest get a lane worth having.
    chosen = chosen.slice(0, -1);
  }
  return [];
}

/** The last second of an allotment opened now for `days`, 1 to 7. */
export function expiryAfter(now: UnixSeconds, days: number = TERM_DAYS_DEFAULT): UnixSeconds {
  assert(days >= TERM_DAYS_MIN && days <= TERM_DAYS_MAX, `a term of ${days} days`);
  return unixSeconds(now + days * DAY_SECONDS);
}

function fitCaps(wishes: readonly LaneWish[], available: Atto): readonly LaneWish[] {
  const wanted = wishes.reduce((sum, wish) => sum + wish.cap, 0n);
  if (wanted <= available) return wishes;
  return wishes.map((wish) => ({
    ...wish,
    cap: minAtto(wish.cap, atto((wish.cap * available) / wanted)),
  }));
}
