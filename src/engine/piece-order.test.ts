import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../units/index.ts';
import { PieceOrder } from './piece-order.ts';

const PIECES = 20;

type Step =
  | readonly ['increase' | 'decrease' | 'remove' | 'add', number]
  | readonly ['level', number, number]
  | readonly ['sequential', boolean];

const piece = fc.nat(PIECES - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.tuple(fc.constantFrom('increase', 'decrease', 'remove', 'add'), piece),
    fc.tuple(fc.constant('level'), piece, fc.nat(7)),
    fc.tuple(fc.constant('sequential'), fc.boolean()),
  ),
  { maxLength: 150 },
);

/** The same by sorting everything anew each time. */
class NaiveOrder {
  readonly here: Set<number> = new Set(Array(PIECES).keys());
  readonly counts: number[] = Array(PIECES).fill(0);
  readonly levels: number[] = Array(PIECES).fill(4);
  isSequential = false;

  take(step: Step): void {
    const [kind, at] = step;
    if (kind === 'sequential') this.isSequential = at;
    else if (kind === 'level') this.levels[at] = step[2];
    else if (kind === 'add') this.here.add(at);
    else if (kind === 'remove') this.here.delete(at);
    else this.counts[at] = Math.max(0, (this.counts[at] ?? 0) + (kind === 'increase' ? 1 : -1));
  }

  /** What two pieces must differ in for their order to matter, the most important first. */
  rank(at: number): readonly number[] {
    return [-(this.levels[at] ?? 0), this.isSequential ? at : (this.counts[at] ?? 0)];
  }

  offered(lowest: number): readonly number[] {
    return [...this.here]
      .filter((at) => (this.levels[at] ?? 0) >= lowest)
      .sort((a, b) => compare(this.rank(a), this.rank(b)));
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) if (value !== b[at]) return value - (b[at] ?? 0);
  return 0;
}

function take(order: PieceOrder, levels: Uint8Array, step: Step): void {
  const [kind, at] = step;
  if (kind === 'sequential') order.isSequential = at;
  else if (kind === 'level') {
    levels[at] = step[2];
    order.setLevels(levels);
  } else order[kind](at);
}

/** All pieces in the order they are offered. */
function offered(order: PieceOrder, lowest: number): number[] {
  const seen: number[] = [];
  order.first((at) => {
    seen.push(at);
    return false;
  }, lowest);
  return seen;
}

test('after any history the order is by level, then by rarity or index, as sorting says', () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.integer({ min: 1, max: 7 }), (history, seed, lowest) => {
      const levels = new Uint8Array(PIECES).fill(4);
      const order = new PieceOrder(levels, Array(PIECES).keys(), seededRandom(seed));
      const naive = new NaiveOrder();
      for (const step of history) {
        take(order, levels, step);
        naive.take(step);
      }
      const seen = offered(order, lowest);
      const wanted = naive.offered(lowest);
      assert.deepEqual(new Set(seen), new Set(wanted));
      assert.equal(seen.length, wanted.length);
      assert.deepEqual(
        seen.map((at) => naive.rank(at)),
        wanted.map((at) => naive.rank(at)),
      );
      assert.equal(order.topLevel, Math.max(0, ...[...naive.here].map((at) => levels[at] ?? 0)));
      for (let at = 0; at < PIECES; at++) assert.equal(order.has(at), naive.here.has(at));
    }),
    { numRuns: 1000 },
  );
});

test('asking for a piece that nobody can give costs one look at each, not more', () => {
  const order = new PieceOrder(new Uint8Array(1000).fill(4), [10, 700, 500], seededRandom(1));
  for (const isSequential of [false, true]) {
    order.isSequential = isSequential;
    assert.equal(offered(order, 1).length, 3);
  }
});

test('pieces of level 0 are kept but never offered, until they are wanted', () => {
  const levels = Uint8Array.from([0, 0, 4]);
  const order = new PieceOrder(levels, [0, 1, 2], seededRandom(1));
  order.increase(1);
  assert.deepEqual(offered(order, 1), [2]);
  order.remove(2);
  assert.equal(order.topLevel, 0);
  order.setLevels(Uint8Array.from([4, 4, 4]));
  assert.deepEqual(offered(order, 1), [0, 1]);
});
