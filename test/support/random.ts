/** Random decisions that replay from one number: `BIDWIDTH_SEED` chooses it. */

/** A stream of random numbers. */
export interface SeededRandom {
  readonly seed: number;
  /** From 0 up to, not including, 1. */
  next(): number;
  between(low: number, high: number): number;
  /** One of `choices`, each as likely as its weight. */
  pick<T>(choices: readonly (readonly [choice: T, weight: number])[]): T;
}

/** The stream of a seed: the one given, `BIDWIDTH_SEED`, or a fresh one. It is mulberry32. */
export function seededRandom(
  given: number = Number(process.env['BIDWIDTH_SEED'] ?? Number.NaN),
): SeededRandom {
  const seed = Number.isFinite(given) ? given >>> 0 : Math.floor(Math.random() * 2 ** 32);
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    next,
    between: (low, high) => low + next() * (high - low),
    pick: (choices) => {
      let at = next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [choice, weight] of choices) {
        at -= weight;
        if (at < 0) return choice;
      }
      throw new Error('there is nothing to choose from');
    },
  };
}
