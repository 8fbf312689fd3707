/** Sends mutated inputs to one target and stops at the first that does harm. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, seededRandom } from '../../src/units/index.ts';
import { mutate } from './mutate.ts';
import type { Target } from './targets.ts';

/** More of a processor's time than this for one input counts as harm. */
const SLOW_MS = 1_000;
/** An error that nobody listens for may come when its input has been done with for a while. */
const LATE_MS = 300;
/** How many inputs before the last such an error may come from. */
export const SUSPECTS = 16;

/** Which inputs are sent: the same for the same seed. */
export interface AttackPlan {
  readonly seed: number;
  readonly count: number;
  /** Inputs of the seed that are left out before the first one that is sent. Default: 0. */
  readonly from?: number;
}

/** How an attack went. */
export interface AttackReport {
  readonly name: string;
  readonly inputCount: number;
  /** Inputs that were understood in spite of all. */
  readonly acceptedCount: number;
  readonly seconds: number;
  /** The input that did harm, and what it did; null when none did. */
  readonly harm: Harm | null;
}

/** An input, and what it did. */
export interface Harm {
  readonly input: Uint8Array;
  readonly what: string;
}

/** A harm in words, and its input in hex. */
export function describeHarm({ what, input }: Harm): string {
  return `${what}\n${Buffer.from(input).toString('hex')}`;
}

/** Attacks `target` with the inputs of `plan`. */
export async function attack(target: Target, plan: AttackPlan): Promise<AttackReport> {
  const { seed, count, from = 0 } = plan;
  const random = seededRandom(seed);
  const trial = trialOf(target);
  const started = performance.now();
  let acceptedCount = 0;
  for (let nth = 0; nth < from + count; nth++) {
    // First the corpus itself: among it is what did harm once.
    const input = target.corpus[nth] ?? mutate(target.corpus, random);
    if (nth < from) continue;
    const outcome = await trial(input);
    if (outcome === 'understood') acceptedCount++;
    else if (outcome !== 'refused') return report(nth - from + 1, outcome);
  }
  return report(count, null);

  function report(inputCount: number, harm: Harm | null): AttackReport {
    const seconds = (performance.now() - started) / 1000;
    return { name: target.name, inputCount, acceptedCount, seconds, harm };
  }
}

/** What an input came to; `refused` as it must be. */
type Outcome = 'understood' | 'refused' | Harm;

/** Tries the inputs it is given, one after the other. */
export function trialOf(target: Target): (input: Uint8Array) => Promise<Outcome> {
  const suspects: Uint8Array[] = [];
  return async (input) => {
    suspects.unshift(input);
    suspects.length = Math.min(suspects.length, SUSPECTS + 1);
    const { outcome, unheard } = await sendTo(target, input);
    if (unheard === null) return outcome;
    // Not everything that one did comes at once: which of the last can do it alone?
    for (const suspect of suspects) {
      const again = await sendTo(target, suspect, LATE_MS);
      if (again.unheard !== null) return { input: suspect, what: again.unheard };
    }
    return { input, what: `${unheard}\nby one of the last inputs, and not again when sent alone` };
  };
}

/** `unheard` is an error that nobody listened for, which would end a node. */
async function sendTo(
  target: Target,
  input: Uint8Array,
  lateMs = 0,
): Promise<{ readonly outcome: Outcome; readonly unheard: string | null }> {
  const unheard: string[] = [];
  const isUnheard = Promise.withResolvers<Outcome>();
  const onUncaught = (error: unknown): void => {
    unheard.push(`nobody listened for: ${textOf(error)}`);
    isUnheard.resolve('refused');
  };
  process.on('uncaughtException', onUncaught);
  const before = process.threadCpuUsage();
  // What has failed that way may never be done.
  const outcome = await Promise.race([outcomeOf(target, input), isUnheard.promise]);
  // Not the clock: on a busy machine a process of low priority may stand still for half a minute.
  const { user, system } = process.threadCpuUsage(before);
  if (lateMs > 0) await Promise.race([sleep(lateMs), isUnheard.promise]);
  process.off('uncaughtException', onUncaught);
  const tookMs = (user + system) / 1000;
  const slow = tookMs > SLOW_MS ? { input, what: `it took ${Math.round(tookMs)} ms` } : null;
  return { outcome: slow ?? outcome, unheard: unheard[0] ?? null };
}

async function outcomeOf(target: Target, input: Uint8Array): Promise<Outcome> {
  try {
    await target.read(input.slice());
    return 'understood';
  } catch (failure) {
    return failure instanceof AppError ? 'refused' : { input, what: textOf(failure) };
  }
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
