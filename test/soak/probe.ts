/**
 * Preloaded into every thread of the node under observation (`node --import`): counts what a
 * thread holds and what went wrong in it, without a line in the program itself.
 */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { writeHeapSnapshot } from 'node:v8';
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

/** What one thread holds at one moment, and how late its loop ran since it was asked last. */
export interface ThreadFacts {
  readonly thread: string;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
  /** Of `process.getActiveResourcesInfo()`: kind → how many. */
  readonly resources: Readonly<Record<string, number>>;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Unhandled rejections and uncaught exceptions since the thread began. */
  readonly faults: readonly string[];
}

/** What a thread is asked for: its facts, garbage collected first or not. */
export interface Question {
  readonly collects: boolean;
  /** It also writes what is on its heap into this folder. */
  readonly snapshots?: string;
}

const RESOLUTION_MS = 20;
const FAULTS_MAX = 20;
const faults: string[] = [];
const threadTitle = isMainThread ? 'main' : (threadName ?? 'worker');
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

process.on('unhandledRejection', (reason) => note('unhandled rejection', reason));
process.on('uncaughtExceptionMonitor', (error) => note('uncaught exception', error));

/** Where threads are asked; the main thread asks, the others answer. */
export const channel: BroadcastChannel = new BroadcastChannel('soak');
if (!isMainThread) {
  channel.onmessage = (event) => {
    const { data } = event as { data: Question };
    channel.postMessage(threadFacts(data));
  };
}
channel.unref();

/** The facts of the thread this runs in. */
export function threadFacts({ collects, snapshots }: Question): ThreadFacts {
  if (collects) globalThis.gc?.();
  if (snapshots !== undefined) {
    writeHeapSnapshot(join(snapshots, `${Date.now()}-${threadTitle}.heapsnapshot`));
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    resources[kind] = (resources[kind] ?? 0) + 1;
  }
  const delays = {
    loopDelayP99Ms: delayMs(histogram.percentile(99)),
    loopDelayMaxMs: delayMs(histogram.max),
  };
  histogram.reset();
  return {
    thread: threadTitle,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    resources,
    ...delays,
    faults,
  };
}

function note(what: string, failure: unknown): void {
  const text = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
  if (faults.length < FAULTS_MAX) faults.push(`${what}: ${text}`);
}

function delayMs(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e5) / 10 - RESOLUTION_MS);
}
