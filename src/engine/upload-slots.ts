/** How many peers are served at a time. */
import { type BytesPerSecond, UNLIMITED } from '../units/index.ts';

/** When the user set no limit: everybody who wants, as far as it makes sense. */
const SLOTS_UNLIMITED = 100;
const SLOTS_MIN = 4;

/**
 * None when nothing may be sent. A slot should be worth having: their number grows with the root of
 * the limit in KiB/s.
 */
export function slotsFor(limit: BytesPerSecond): number {
  if (limit === UNLIMITED) return SLOTS_UNLIMITED;
  if (limit === 0) return 0;
  return Math.max(SLOTS_MIN, Math.floor(Math.sqrt((limit / 1024) * 0.8)));
}
