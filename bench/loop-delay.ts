/**
 * Preloaded into a program (`node --import`) to learn how late its event loops run, those of its
 * worker threads as well, without a line in the program itself.
 *
 * While the file named by `LOOP_DELAY_WHILE` exists, delays are gathered; when it is removed, each
 * thread prints one JSON line: `{"event":"loop-delay","thread":"main","p99Ms":…,"maxMs":…}`.
 */
import { existsSync, writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread, threadName } from 'node:worker_threads';

/** How often the loop is looked at; what is recorded is the time between two looks. */
const RESOLUTION_MS = 10;
const CONTROL_MS = 200;

const control = process.env['LOOP_DELAY_WHILE'];
if (control !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let isOn = false;
  const look = (): void => {
    const shouldBeOn = existsSync(control);
    if (shouldBeOn && !isOn) {
      histogram.reset();
      histogram.enable();
    } else if (!shouldBeOn && isOn) {
      histogram.disable();
      const thread = isMainThread ? 'main' : threadName;
      const line = { event: 'loop-delay', thread, ...delays() };
      // Not `console`: a worker's would be printed by the main thread, if it is still there.
      writeSync(1, `${JSON.stringify(line)}\n`);
    }
    isOn = shouldBeOn;
  };
  const delays = (): Record<string, number> => ({
    p50Ms: delayMs(histogram.percentile(50)),
    p99Ms: delayMs(histogram.percentile(99)),
    maxMs: delayMs(histogram.max),
  });
  setInterval(look, CONTROL_MS).unref();
}

function delayMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}
