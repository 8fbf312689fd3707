/** The loop of guided fuzzing: an input that takes a new way is kept and changed further. */
import { performance } from 'node:perf_hooks';
import { type Random, randomInt } from '../../../src/units/index.ts';
import { type Harm, trialOf } from '../attack.ts';
import { mutate } from '../mutate.ts';
import type { Target } from '../targets.ts';

/** What is explored, and for how long. */
export interface ExploreOptions {
  readonly target: Target;
  readonly random: Random;
  readonly milliseconds: number;
  /** Branch counters, raised by the code under test. */
  readonly counters: Uint8Array;
  /** Texts that the code compares with. */
  readonly words: readonly Uint8Array[];
}

/** What came of it. */
export interface Exploration {
  readonly inputCount: number;
  /** Branches that the first inputs took, and that all take. */
  readonly branchesBefore: number;
  readonly branches: number;
  /** The fewest inputs that take every branch that was found, without the target's own. */
  readonly found: readonly Uint8Array[];
  /** As in `AttackReport`. */
  readonly harm: Harm | null;
}

/** A kept input and the ways it takes: a branch and about how often it ran. */
interface Kept {
  readonly input: Uint8Array;
  readonly ways: readonly number[];
}

/** How often a branch ran, in classes (AFL): 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more. */
const CLASSES = 8;
/** Longer inputs are not kept: they are slow, and find little that shorter ones do not. */
const KEPT_BYTES_MAX = 4096;

/** Explores until the time is over or harm is done. */
export async function explore(options: ExploreOptions): Promise<Exploration> {
  const { target, random, milliseconds, counters, words } = options;
  const seen = new Uint8Array(counters.length * CLASSES);
  const kept: Kept[] = [];
  const trial = trialOf(target);
  let inputCount = 0;
  let harm: Exploration['harm'] = null;

  const run = async (input: Uint8Array): Promise<number[]> => {
    inputCount++;
    counters.fill(0);
    const outcome = await trial(input);
    if (typeof outcome === 'object') harm = outcome;
    return waysOf(counters);
  };
  const tryOut = async (input: Uint8Array, isGiven: boolean): Promise<void> => {
    const ways = await run(input);
    const isNew = ways.some((way) => seen[way] === 0);
    if (!isGiven && (!isNew || input.length > KEPT_BYTES_MAX)) return;
    for (const way of ways) seen[way] = 1;
    kept.push({ input, ways });
  };

  // Once for nothing: what is set up lazily is no discovery.
  for (const input of target.corpus) await tryOut(input, true);
  kept.length = 0;
  seen.fill(0);
  for (const input of target.corpus) await tryOut(input, true);
  const given = kept.length;
  const branchesBefore = branchCount(seen);
  const until = performance.now() + milliseconds;
  while (harm === null && performance.now() < until) {
    const corpus = kept.map(({ input }) => input);
    // A round over a fixed list; the newest inputs are tried most.
    for (let left = 256; left > 0 && harm === null; left--) {
      const recent = random() < 0.5 ? corpus.slice(-8) : corpus;
      await tryOut(mutate(withWord(recent, words, random), random), false);
    }
  }
  const found: Uint8Array[] = [];
  for (const { input, news } of fewest(kept.slice(0, given), kept.slice(given))) {
    const isAsGood = async (shorter: Uint8Array): Promise<boolean> => {
      const branches = new Set((await run(shorter)).map(branchOf));
      return news.every((branch) => branches.has(branch));
    };
    found.push(await shorten(input, isAsGood));
  }
  return { inputCount, branchesBefore, branches: branchCount(seen), found, harm };
}

/** Takes pieces out, large ones first, as long as the input stays as good. */
async function shorten(
  input: Uint8Array,
  isAsGood: (shorter: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let best = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const shorter = new Uint8Array(
        Buffer.concat([best.subarray(0, at), best.subarray(at + size)]),
      );
      if (await isAsGood(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

/** Now and then a word of the sources goes into the input that is changed. */
function withWord(
  corpus: readonly Uint8Array[],
  words: readonly Uint8Array[],
  random: Random,
): readonly Uint8Array[] {
  const word = words[randomInt(random, Math.max(1, words.length))];
  const input = corpus[randomInt(random, Math.max(1, corpus.length))];
  if (!word || !input || random() < 0.7) return corpus;
  const at = randomInt(random, input.length + 1);
  const until = random() < 0.5 ? at : Math.min(input.length, at + word.length);
  return [new Uint8Array(Buffer.concat([input.subarray(0, at), word, input.subarray(until)]))];
}

function waysOf(counters: Uint8Array): number[] {
  const ways: number[] = [];
  for (let at = 0; at < counters.length; at++) {
    const times = counters[at] ?? 0;
    if (times > 0) ways.push(at * CLASSES + classOf(times));
  }
  return ways;
}

function classOf(times: number): number {
  if (times < 4) return times - 1;
  return times < 8 ? 3 : times < 16 ? 4 : times < 32 ? 5 : times < 128 ? 6 : 7;
}

function branchOf(way: number): number {
  return Math.floor(way / CLASSES);
}

function branchCount(seen: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < seen.length; at += CLASSES) {
    if (seen.subarray(at, at + CLASSES).includes(1)) count++;
  }
  return count;
}

/** Greedy: the shortest first, each only if it takes a branch that none before it takes. */
function fewest(
  given: readonly Kept[],
  found: readonly Kept[],
): { readonly input: Uint8Array; readonly news: readonly number[] }[] {
  const covered = new Set(given.flatMap(({ ways }) => ways.map(branchOf)));
  const chosen: { input: Uint8Array; news: number[] }[] = [];
  for (const { input, ways } of found.toSorted((a, b) => a.input.length - b.input.length)) {
    const news = ways.map(branchOf).filter((branch) => !covered.has(branch));
    if (news.length === 0) continue;
    for (const branch of news) covered.add(branch);
    chosen.push({ input, news });
  }
  return chosen;
}
