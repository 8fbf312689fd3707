/** What users lay down in advance. Start with `seeding-limits.ts` and `schedule.ts`. */
export { parseScheduleLine, type ScheduleLine } from './schedule.ts';
export { ratesNow, ScheduledLimits } from './scheduled-limits.ts';
export {
  endOfSeeding,
  isAnyLimit,
  ratioOf,
  SEEDED_FOR_EVER,
  type SeedingEnd,
  type SeedingLimits,
  type SeedingTotals,
} from './seeding-limits.ts';
