/** Sends mutated inputs to one target and stops at the first that does harm. */
import { performance } from 'node:perf_hooks';
import { AppError, seededRandom } from '../../src/units/index.ts';
import { mutate } from './mutate.ts';
import type { Target } from './targets.ts';

/** More of a processor's time than this for one input counts as harm. */
const SLOW_MS = 1_000;

/** How an attack went. */
export interface AttackReport {
  readonly name: string;
  readonly inputCount: number;
  /** Inputs that were understood in spite of all. */
  readonly acceptedCount: number;
  readonly seconds: number;
  /** The input that did harm in hex, and what it did; null when none did. */
  readonly harm: { readonly hex: string; readonly what: string } | null;
}

/** Attacks `target` with `count` inputs, the same for the same seed. */
export async function attack(target: Target, count: number, seed: number): Promise<AttackReport> {
  const random = seededRandom(seed);
  const started = performance.now();
  let acceptedCount = 0;
  for (let nth = 0; nth < count; nth++) {
    // First the corpus itself: among it is what did harm once.
    const input = target.corpus[nth] ?? mutate(target.corpus, random);
    const trouble = await harmOf(target, input);
    if (trouble === null || trouble === 'refused') {
      if (trouble === null) acceptedCount++;
      continue;
    }
    const harm = { hex: Buffer.from(input).toString('hex'), what: trouble };
    return report(nth + 1, harm);
  }
  return report(count, null);

  function report(inputCount: number, harm: AttackReport['harm']): AttackReport {
    const seconds = (performance.now() - started) / 1000;
    return { name: target.name, inputCount, acceptedCount, seconds, harm };
  }
}

/** Null when it was understood, `refused` when it was refused as it must be, else what happened. */
export async function harmOf(target: Target, input: Uint8Array): Promise<string | null> {
  const before = process.threadCpuUsage();
  const outcome = await outcomeOf(target, input.slice());
  // Not the clock: on a busy machine a process of low priority may stand still for half a minute.
  const { user, system } = process.threadCpuUsage(before);
  const tookMs = (user + system) / 1000;
  return tookMs > SLOW_MS ? `it took ${Math.round(tookMs)} ms` : outcome;
}

async function outcomeOf(target: Target, input: Uint8Array): Promise<string | null> {
  try {
    await target.read(input);
    return null;
  } catch (failure) {
    if (failure instanceof AppError) return 'refused';
    return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
  }
}
