/** What a soak comes to: how memory and handles went over the hours, and whether that is good. */
import type { NodeFacts } from './measure.ts';

/** A line that the observed node wrote. */
export interface Sample extends NodeFacts {
  readonly event: 'start' | 'sample' | 'end';
  /** Garbage was collected before memory was looked at. */
  readonly collects: boolean;
  readonly steps: number;
  readonly troubles: readonly string[];
}

/** A straight line through points over time: units an hour, and the error to expect of it. */
export interface Slope {
  readonly perHour: number;
  /** One standard error; null for fewer than three blocks. */
  readonly error: number | null;
}

/** What is told at the end. Memory in bytes; *held* is what heaps hold after a collection. */
export interface SoakResult {
  readonly ok: boolean;
  /** Why not. */
  readonly faults: readonly string[];
  readonly hours: number;
  readonly slopes: Readonly<Record<'rss' | 'rssLater' | 'held' | 'descriptors', Slope>>;
  readonly rssBytes: { readonly first: number; readonly most: number; readonly last: number };
  readonly handlesAtStart: Readonly<Record<string, number>>;
  readonly handlesAtEnd: Readonly<Record<string, number>>;
  readonly heldAtStartBytes: number;
  readonly heldAtEndBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly steps: number;
  readonly loopDelayP99Ms: number;
}

/** Compilers and caches settle before that. */
const SETTLED_SECONDS = 900;
/**
 * What V8 and the allocator keep for themselves settles later: in a run of two hours, after one.
 * So what is judged of the resident memory is this part of a run from its end.
 */
const LATER_SHARE = 0.5;
/** Neighbouring samples are alike: the error comes from the means of blocks this long. */
const BLOCK_SECONDS = 300;
/** What counts as a leak, an hour: 2 standard errors above this. */
const LEAK_BYTES_PER_HOUR = 4 * 2 ** 20;
/**
 * What a node keeps for its next torrent once it had one: the table of files in use with its lock,
 * five descriptors by SQLite, and the socket of UDP trackers.
 */
const HANDLES_KEPT_MAX = 6;
/** A soak that moved less has soaked nothing. */
const BYTES_PER_HOUR_MIN = 100 * 2 ** 20;

/** Judges a run by what the observed node wrote. Throws when it wrote no start. */
export function judge(samples: readonly Sample[]): SoakResult {
  const [start, last] = [samples.find(({ event }) => event === 'start'), samples.at(-1)];
  if (!start || !last) throw new Error('the observed node wrote nothing');
  const running = samples.filter(({ event }) => event === 'sample');
  const settled = running.filter(({ seconds }) => seconds >= SETTLED_SECONDS);
  const slopes = {
    rss: slopeOf(settled, ({ rssBytes }) => rssBytes),
    rssLater: slopeOf(
      settled.filter(({ seconds }) => seconds >= last.seconds * LATER_SHARE),
      ({ rssBytes }) => rssBytes,
    ),
    held: slopeOf(
      settled.filter(({ collects }) => collects),
      heapBytes,
    ),
    descriptors: slopeOf(settled, ({ descriptors }) => sum(Object.values(descriptors))),
  };
  const hours = last.seconds / 3600;
  const rss = running.map(({ rssBytes }) => rssBytes);
  const result = {
    hours,
    slopes,
    rssBytes: { first: settled[0]?.rssBytes ?? 0, most: Math.max(...rss), last: rss.at(-1) ?? 0 },
    handlesAtStart: handlesOf(start),
    handlesAtEnd: last.event === 'end' ? handlesOf(last) : {},
    heldAtStartBytes: heapBytes(start),
    heldAtEndBytes: last.event === 'end' ? heapBytes(last) : 0,
    receivedBytes: last.receivedBytes,
    sentBytes: last.sentBytes,
    steps: last.steps,
    loopDelayP99Ms: Math.max(...running.map(({ threads }) => threads[1]?.loopDelayP99Ms ?? 0)),
  };
  const faults = faultsOf(samples, result);
  return { ok: faults.length === 0, faults, ...result };
}

function slopeOf(samples: readonly Sample[], value: (sample: Sample) => number): Slope {
  return slope(samples.map((sample) => ({ seconds: sample.seconds, value: value(sample) })));
}

/** Least squares through the means of blocks. */
export function slope(
  points: readonly { readonly seconds: number; readonly value: number }[],
): Slope {
  const blocks = Map.groupBy(points, ({ seconds }) => Math.floor(seconds / BLOCK_SECONDS));
  const means = [...blocks.values()].map((block) => ({
    x: mean(block.map(({ seconds }) => seconds / 3600)),
    y: mean(block.map(({ value }) => value)),
  }));
  const [atX, atY] = [mean(means.map(({ x }) => x)), mean(means.map(({ y }) => y))];
  const spread = sum(means.map(({ x }) => (x - atX) ** 2));
  if (means.length < 2 || spread === 0) return { perHour: 0, error: null };
  const perHour = sum(means.map(({ x, y }) => (x - atX) * (y - atY))) / spread;
  if (means.length < 3) return { perHour, error: null };
  const rest = sum(means.map(({ x, y }) => (y - atY - perHour * (x - atX)) ** 2));
  return { perHour, error: Math.sqrt(rest / (means.length - 2) / spread) };
}

function faultsOf(
  samples: readonly Sample[],
  { slopes, hours, receivedBytes, handlesAtStart, handlesAtEnd }: Omit<SoakResult, 'ok' | 'faults'>,
): string[] {
  const last = samples.at(-1);
  const kept = sum(Object.values(handlesAtEnd)) - sum(Object.values(handlesAtStart));
  return [
    ...(last?.troubles ?? []),
    ...(last?.threads.flatMap(({ thread, faults }) => faults.map((one) => `${thread}: ${one}`)) ??
      []),
    ...(last?.event === 'end' ? [] : ['the run was not brought to its end']),
    ...leaks('resident memory', slopes.rssLater),
    ...leaks('what the heaps hold', slopes.held),
    ...(kept > HANDLES_KEPT_MAX ? [`${kept} more handles at the end than at the start`] : []),
    ...(receivedBytes < BYTES_PER_HOUR_MIN * hours
      ? [`only ${mib(receivedBytes)} MiB came in ${hours.toFixed(2)} hours`]
      : []),
  ];
}

function leaks(what: string, { perHour, error }: Slope): string[] {
  const isSure = perHour - 2 * (error ?? 0) > LEAK_BYTES_PER_HOUR;
  return isSure ? [`${what} grows by ${mib(perHour)} MiB an hour`] : [];
}

/** Descriptors by kind, and what keeps the loops of both threads alive. */
function handlesOf({ descriptors, threads }: Sample): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [kind, count] of Object.entries(descriptors)) counts[`fd ${kind}`] = count;
  for (const { thread, resources } of threads) {
    for (const [kind, count] of Object.entries(resources)) counts[`${thread} ${kind}`] = count;
  }
  return counts;
}

function heapBytes({ threads }: Sample): number {
  return sum(threads.map(({ heapUsedBytes }) => heapUsedBytes));
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
