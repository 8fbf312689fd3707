/** How long to leave a failing tracker alone. */
import type { Random } from '../units/index.ts';

/** First wait after a failure; short, because most failures are a network that was just down. */
const FIRST_WAIT_MS = 15_000;

/** Longest wait: an hour, so that a tracker that comes back is found within one. */
const WAIT_MS_MAX = 3_600_000;

/**
 * Milliseconds to wait after `failures` failures in a row (1, 2, …): 15 s doubling up to an
 * hour, moved up to 20 % either way so that clients cut off together do not return together.
 */
export function backoffMs(failures: number, random: Random): number {
  const doubled = FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20);
  return Math.round(Math.min(doubled, WAIT_MS_MAX) * (0.8 + 0.4 * random()));
}
