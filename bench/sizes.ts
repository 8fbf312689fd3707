/** Sizes as people write them: `64MiB`. */

const UNIT_BYTES: Readonly<Record<string, number>> = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10 };

/** Bytes of a size such as `64MiB`; throws for anything else. */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`${text} is no size such as 64MiB or 1GiB`);
  return Number(digits) * (UNIT_BYTES[unit] ?? 1);
}

/** The size in the largest unit that leaves it whole. */
export function sizeText(bytes: number): string {
  const [unit, factor] = Object.entries(UNIT_BYTES).find(([, size]) => bytes % size === 0) ?? [];
  return unit === undefined || factor === undefined ? `${bytes} B` : `${bytes / factor} ${unit}`;
}
