/** How much a torrent is seeded: until it has given back so much, or for so long. */

/** Null in a field is no limit. The first that is reached ends the seeding. */
export interface SeedingLimits {
  /** Upload for each byte of download; see `ratioOf`. Above 0. */
  readonly ratio: number | null;
  /** Seconds of seeding, over all runs. */
  readonly seedSeconds: number | null;
  /** Seconds of seeding during which nobody took anything. */
  readonly idleSeconds: number | null;
}

/** No end of seeding. */
export const SEEDED_FOR_EVER: SeedingLimits = {
  ratio: null,
  seedSeconds: null,
  idleSeconds: null,
};

/** What a torrent has given, and what it took for that. Block payload in bytes. */
export interface SeedingTotals {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Verified and on disk. */
  readonly haveBytes: number;
  readonly seedSeconds: number;
  readonly idleSeconds: number;
}

/** Why seeding ended: a stable word for programs, a line for people. */
export interface SeedingEnd {
  readonly reason: 'ratio' | 'seed-time' | 'idle-time';
  readonly line: string;
}

/**
 * Upload for each byte of download. What was here already when it was added counts as downloaded,
 * as in libtorrent: whoever seeds his own file reaches 1 when others have it once. 0 while nothing
 * is here.
 */
export function ratioOf({
  sentBytes,
  receivedBytes,
  haveBytes,
}: Pick<SeedingTotals, 'sentBytes' | 'receivedBytes' | 'haveBytes'>): number {
  const taken = Math.max(receivedBytes, haveBytes);
  return taken === 0 ? 0 : sentBytes / taken;
}

/** The limit that was reached; null while none was. */
export function endOfSeeding(limits: SeedingLimits, totals: SeedingTotals): SeedingEnd | null {
  const { ratio, seedSeconds, idleSeconds } = limits;
  if (ratio !== null && ratioOf(totals) >= ratio) {
    return { reason: 'ratio', line: `the share ratio of ${ratio} is reached` };
  }
  if (seedSeconds !== null && totals.seedSeconds >= seedSeconds) {
    return { reason: 'seed-time', line: `it was seeded for ${inWords(seedSeconds)}` };
  }
  if (idleSeconds !== null && totals.idleSeconds >= idleSeconds) {
    return { reason: 'idle-time', line: `nobody took anything for ${inWords(idleSeconds)}` };
  }
  return null;
}

/** Whether anything is limited at all. */
export function isAnyLimit({ ratio, seedSeconds, idleSeconds }: SeedingLimits): boolean {
  return ratio !== null || seedSeconds !== null || idleSeconds !== null;
}

/** `2 h 30 min`, `45 s`. */
function inWords(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const said = parts.flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : []));
  return said.join(' ') || '0 s';
}
