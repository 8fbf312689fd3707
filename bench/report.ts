/** Medians, ranges and the table a person reads. */
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

/** The figures of `runs`, at least one. */
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
      series.set(key, [...(series.get(key) ?? []), value]);
    }
  }
  const figures = Object.fromEntries([...series].map(([key, values]) => [key, spread(values)]));
  return { name, runs: runs.length, figures };
}

/** Lines of a table of all contenders, the ratio of wall medians against the first one last. */
export function tableOf(results: readonly ContenderResult[]): readonly string[] {
  const columns: readonly [string, (result: ContenderResult) => string][] = [
    ['', (result) => result.name],
    ['wall s', (result) => range(result, 'wallSeconds', 1)],
    ['MiB/s', (result) => range(result, 'mibPerSecond', 1, 0)],
    ['CPU s', (result) => range(result, 'cpuSeconds', 1)],
    ['own s', (result) => range(result, 'ownSeconds', 1)],
    ['steady MiB/s', (result) => range(result, 'steadyMibPerSecond', 1, 0)],
    ['peak RSS MB', (result) => range(result, 'peakRssBytes', 1e6, 0)],
    ['of it anonymous MB', (result) => range(result, 'peakAnonBytes', 1e6, 0)],
    ['wall ratio', (result) => ratio(result, results[0])],
  ];
  const rows = [
    columns.map(([title]) => title),
    ...results.map((result) => columns.map(([, cell]) => cell(result))),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function range(result: ContenderResult, figure: string, unit: number, digits = 2): string {
  const found = result.figures[figure];
  if (found === undefined) return '–';
  const [median, min, max] = [found.median, found.min, found.max].map((value) =>
    (value / unit).toFixed(digits),
  );
  return `${median} (${min}–${max})`;
}

function ratio(result: ContenderResult, base: ContenderResult | undefined): string {
  const own = result.figures['wallSeconds']?.median;
  const other = base?.figures['wallSeconds']?.median;
  return own === undefined || other === undefined ? '–' : (own / other).toFixed(2);
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? median, max: sorted.at(-1) ?? median };
}
