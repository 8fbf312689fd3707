/** Runs one command as a whole fresh process and says what it cost, by `measure.py`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Child, type JsonLine, startChild } from '../test/support/children.ts';

/** What one process cost, threads and children included. */
export interface Measurement {
  /** From just before the process starts to its end. */
  readonly wallSeconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** VmHWM of the largest process: counts the pages of mapped files too. */
  readonly peakRssBytes: number;
  /** Peak of RssAnon, all processes together, sampled every 50 ms: what it really keeps. */
  readonly peakAnonBytes: number;
  /** CPU seconds by name of thread; without BENCH_THREADS in the environment none. */
  readonly threads?: Readonly<Record<string, { readonly user: number; readonly system: number }>>;
  /** What the command printed as JSON lines. */
  readonly lines: readonly JsonLine[];
}

const SCRIPT: string = fileURLToPath(new URL('measure.py', import.meta.url));
/** A gigabyte at 4 MiB/s; slower than that is a fault, no result. */
const TIMEOUT_MS = 300_000;
const STOP_GRACE_MS = 10_000;
const TICKS_PER_SECOND = 100;

/** A command being measured. */
export interface Measuring extends AsyncDisposable {
  /** Its process (that of the command itself, not of the script around it). */
  readonly pid: number;
  readonly child: Child;
  /** CPU seconds so far, threads included, children not: to tell phases of a long run apart. */
  cpuSeconds(): number;
  /** Tells it to end, and waits. What it left with does not matter. */
  stop(): Promise<Measurement>;
}

/** Runs and measures `command`; throws with its output when it fails. */
export async function measure(command: readonly string[]): Promise<Measurement> {
  await using child = startMeasured(command);
  const measured = await child.waitForLine((line) => line.event === 'measured');
  await child.ended;
  if (measured['code'] !== 0) {
    throw new Error(`${command.join(' ')}\nended with ${measured['code']}:\n${child.output()}`);
  }
  return measurementOf(measured, child.lines());
}

/** Starts `command`, which runs until it is stopped: a seed. */
export async function measureUntilStopped(command: readonly string[]): Promise<Measuring> {
  const child = startMeasured(command);
  const { pid } = await child.waitForLine((line) => line.event === 'measuring');
  return {
    pid: Number(pid),
    child,
    cpuSeconds: () => cpuSecondsOf(Number(pid)),
    stop: async () => {
      await child.stop('SIGTERM', STOP_GRACE_MS);
      const measured = child.lines().findLast((line) => line.event === 'measured');
      if (!measured) throw new Error(`it did not end when told to:\n${child.output()}`);
      return measurementOf(measured, child.lines());
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function startMeasured(command: readonly string[]): Child {
  return startChild('/usr/bin/python3', [SCRIPT, '--', ...command], { timeoutMs: TIMEOUT_MS });
}

function measurementOf(measured: JsonLine, lines: readonly JsonLine[]): Measurement {
  const number = (key: string): number => Number(measured[key]);
  return {
    wallSeconds: number('wallSeconds'),
    userSeconds: number('userSeconds'),
    systemSeconds: number('systemSeconds'),
    peakRssBytes: number('peakRssBytes'),
    peakAnonBytes: number('peakAnonBytes'),
    threads: measured['threads'] as NonNullable<Measurement['threads']>,
    lines,
  };
}

/** User and system time by proc(5), in the kernel's ticks of 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
