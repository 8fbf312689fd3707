/** Points in time and durations. Pure layers are given the time; they never read a clock. */
import type { Branded } from './brand.ts';

/** Milliseconds on a monotonic clock with an arbitrary start. */
export type Instant = Branded<number, 'Instant'>;

/** Seconds since 1970, as chains and torrents write them. A safe integer. */
export type UnixSeconds = Branded<number, 'UnixSeconds'>;

/** Brands a monotonic reading. */
export function instant(ms: number): Instant {
  return ms as Instant;
}

/** Brands a wall-clock reading, rounded down to a second. */
export function unixSeconds(seconds: number): UnixSeconds {
  return Math.floor(seconds) as UnixSeconds;
}
