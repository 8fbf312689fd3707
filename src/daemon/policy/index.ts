/** What users lay down for their torrents in advance. Start with `seeding-limits.ts`. */
export {
  endOfSeeding,
  isAnyLimit,
  ratioOf,
  SEEDED_FOR_EVER,
  type SeedingEnd,
  type SeedingLimits,
  type SeedingTotals,
} from './seeding-limits.ts';
