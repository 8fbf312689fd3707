/** Runs one command as a whole fresh process and says what it cost, by `measure.py`. */
import { fileURLToPath } from 'node:url';
import { type JsonLine, startChild } from '../test/support/children.ts';

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
  /** What the command printed as JSON lines. */
  readonly lines: readonly JsonLine[];
}

const SCRIPT: string = fileURLToPath(new URL('measure.py', import.meta.url));
/** A gigabyte at 4 MiB/s; slower than that is a fault, no result. */
const TIMEOUT_MS = 300_000;

/** Runs and measures `command`; throws with its output when it fails. */
export async function measure(command: readonly string[]): Promise<Measurement> {
  const child = startChild('/usr/bin/python3', [SCRIPT, '--', ...command], {
    timeoutMs: TIMEOUT_MS,
  });
  const measured = await child.waitForLine((line) => line.event === 'measured');
  await child.ended;
  if (measured['code'] !== 0) {
    throw new Error(`${command.join(' ')}\nended with ${measured['code']}:\n${child.output()}`);
  }
  const number = (key: string): number => Number(measured[key]);
  return {
    wallSeconds: number('wallSeconds'),
    userSeconds: number('userSeconds'),
    systemSeconds: number('systemSeconds'),
    peakRssBytes: number('peakRssBytes'),
    peakAnonBytes: number('peakAnonBytes'),
    lines: child.lines(),
  };
}
