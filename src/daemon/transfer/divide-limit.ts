/** Divides a limit among transfer threads by what each can use. */

/** What a thread made of its part. All in bytes a second. */
export interface Demand {
  readonly part: number;
  readonly rate: number;
  /** The part was used up: it could have moved more. */
  readonly isHungry: boolean;
}

/** A part of at least this share of an even one stays with a thread that does nothing. */
const IDLE_SHARE = 0.04;
/** Who needed less than its part keeps this much more than it used, to show when it needs more. */
const HEADROOM = 1.25;
/**
 * Who used its part up may have so many times as much: from nothing to an even part takes three
 * steps, while one that comes in bursts takes little from the others each time.
 */
const GROWTH = 3;

/**
 * Parts in the order of `demands`; their sum is `limit`, which is finite. Max-min fair: nobody gets
 * more than it can use while another is hungry, and the hungry ones come to the same.
 */
export function divideLimit(limit: number, demands: readonly Demand[]): readonly number[] {
  const parts: number[] = demands.map(() => 0);
  const least = (limit / demands.length) * IDLE_SHARE;
  const wanted = demands
    .map(({ part, rate, isHungry }, nth) => {
      return { nth, isHungry, most: Math.max(least, isHungry ? part * GROWTH : rate * HEADROOM) };
    })
    .toSorted((a, b) => a.most - b.most);
  let left = limit;
  for (const [at, { nth, most }] of wanted.entries()) {
    const part = Math.min(most, left / (wanted.length - at));
    parts[nth] = part;
    left -= part;
  }
  const hungry = wanted.filter(({ isHungry }) => isHungry);
  const takers = hungry.length > 0 ? hungry : wanted;
  for (const { nth } of takers) parts[nth] = (parts[nth] ?? 0) + left / takers.length;
  return parts;
}
