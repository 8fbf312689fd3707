/** Medians, ranges, the table a person reads, and whether what was wanted is reached. */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Run } from './scenarios/scenario.ts';

/** Middle, least and most of a series. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One contender's figures over all its runs. */
export interface ContenderResult {
  readonly name: string;
  readonly runs: number;
  /** By figure; names end in their unit. */
  readonly figures: Readonly<Record<string, Spread>>;
}

/** A column of the table: a figure in a unit, or its ratio to the first contender's. */
export interface Column {
  readonly title: string;
  readonly figure: string;
  /** What the figure is divided by to be printed. */
  readonly unit?: number;
  readonly digits?: number;
  readonly isRatio?: boolean;
}

/** A bound on a median: in the figure's unit, or times the same figure of another contender. */
export interface Goal {
  readonly contender: string;
  readonly figure: string;
  /** The contender whose figure is 1; absent for a bound in the figure's own unit. */
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A goal and what came out. */
export interface GoalOutcome extends Goal {
  /** Null when one of the contenders did not run. */
  readonly measured: number | null;
  readonly isReached: boolean;
}

/** Where figures come from; without it they mean nothing. */
export interface Machine {
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** One-minute load before the first run: well above 0, the wall times are worth little. */
  readonly loadBefore: number;
}

/** What is shown of contenders that move `sizeBytes`. */
const TRANSFER_COLUMNS: readonly Column[] = [
  { title: 'wall s', figure: 'wallSeconds' },
  { title: 'MiB/s', figure: 'mibPerSecond', digits: 0 },
  { title: 'CPU s', figure: 'cpuSeconds' },
  { title: 'own s', figure: 'ownSeconds' },
  { title: 'steady MiB/s', figure: 'steadyMibPerSecond', digits: 0 },
  { title: 'peak RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
  { title: 'of it anonymous MB', figure: 'peakAnonBytes', unit: 1e6, digits: 0 },
  { title: 'MiB/s ratio', figure: 'mibPerSecond', isRatio: true },
];

/** This machine. */
export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpuModel: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryBytes: totalmem(),
    kernel: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The figures of `runs`, at least one. NaN means that a run was too short for a figure. */
export function summarize(name: string, runs: readonly Run[], sizeBytes: number): ContenderResult {
  const series = new Map<string, number[]>();
  for (const { measurement, extra } of runs) {
    const cpuSeconds = measurement.userSeconds + measurement.systemSeconds;
    const figures: Record<string, number> = {
      wallSeconds: measurement.wallSeconds,
      mibPerSecond: sizeBytes / 2 ** 20 / measurement.wallSeconds,
      cpuSeconds,
      userSeconds: measurement.userSeconds,
      systemSeconds: measurement.systemSeconds,
      peakRssBytes: measurement.peakRssBytes,
      peakAnonBytes: measurement.peakAnonBytes,
      ...extra,
    };
    for (const [key, value] of Object.entries(figures)) {
      if (Number.isNaN(value)) continue;
      series.set(key, [...(series.get(key) ?? []), value]);
    }
  }
  const figures = Object.fromEntries([...series].map(([key, values]) => [key, spread(values)]));
  return { name, runs: runs.length, figures };
}

/** Lines of a table of all contenders. Columns of figures that nobody has are left out. */
export function tableOf(
  results: readonly ContenderResult[],
  columns: readonly Column[] = TRANSFER_COLUMNS,
): readonly string[] {
  const shown = columns.filter(({ figure }) => results.some((one) => one.figures[figure]));
  const rows = [
    ['', ...shown.map(({ title }) => title)],
    ...results.map((result) => [
      result.name,
      ...shown.map((column) => cellOf(column, result, results[0])),
    ]),
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths?.[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** What came out of each goal. */
export function judge(
  goals: readonly Goal[],
  results: readonly ContenderResult[],
): readonly GoalOutcome[] {
  const medianOf = (name: string, figure: string): number | undefined =>
    results.find((result) => result.name === name)?.figures[figure]?.median;
  return goals.map((goal) => {
    const own = medianOf(goal.contender, goal.figure);
    const base = goal.against === undefined ? 1 : medianOf(goal.against, goal.figure);
    if (own === undefined || base === undefined) {
      return { ...goal, measured: null, isReached: false };
    }
    const measured = own / base;
    const isReached =
      measured >= (goal.atLeast ?? -Infinity) && measured <= (goal.atMost ?? Infinity);
    return { ...goal, measured, isReached };
  });
}

/** One line for a person: `reached  bidwidth mibPerSecond at least 1.3 × libtorrent: 1.46`. */
export function goalLine(outcome: GoalOutcome): string {
  const { contender, figure, against, measured } = outcome;
  const verdict = measured === null ? 'not run' : outcome.isReached ? 'reached' : 'MISSED';
  const bounds = [
    outcome.atLeast === undefined ? '' : ` at least ${outcome.atLeast}`,
    outcome.atMost === undefined ? '' : ` at most ${outcome.atMost}`,
  ].join('');
  const base = against === undefined ? '' : ` × ${against}`;
  const found = measured === null ? '' : `: ${Number(measured.toPrecision(4))}`;
  return `${verdict.padEnd(8)} ${contender} ${figure}${bounds}${base}${found}`;
}

function cellOf(
  column: Column,
  result: ContenderResult,
  base: ContenderResult | undefined,
): string {
  const { figure, unit = 1, digits = 2 } = column;
  const found = result.figures[figure];
  if (found === undefined) return '–';
  if (column.isRatio) {
    const other = base?.figures[figure]?.median;
    return other === undefined ? '–' : (found.median / other).toFixed(2);
  }
  const [median, min, max] = [found.median, found.min, found.max].map((value) =>
    (value / unit).toFixed(digits),
  );
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? median, max: sorted.at(-1) ?? median };
}
