import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atto, attoPerMib, instant, MIB } from '../units/index.ts';
import { SHARE_UNIT, type SpendLimits, SpendPlan, spendingRate } from './spend-plan.ts';

const LIMITS: SpendLimits = {
  now: instant(0),
  budgetLeft: atto(60_000n),
  maxPrice: attoPerMib(10n),
  remainingBytes: null,
  downloadRate: 0,
  deadline: null,
};

function lane(key: number, spent: number, mib: number) {
  return { key, spent: atto(BigInt(spent)), verifiedBytes: mib * MIB };
}

test('before the first byte the budget is planned over ten seconds, to be fast from the start', () => {
  assert.equal(spendingRate(LIMITS), 6_000n);
});

test('while nobody knows what remains, the budget is planned over a minute', () => {
  assert.equal(spendingRate({ ...LIMITS, downloadRate: 10 * MIB }), 1_000n);
});

test('a deadline spreads the budget over the time left', () => {
  assert.equal(spendingRate({ ...LIMITS, deadline: instant(600_000) }), 100n);
});

test('a passed deadline does not spend everything at once', () => {
  assert.equal(spendingRate({ ...LIMITS, now: instant(5_000), deadline: instant(0) }), 6_000n);
});

test('no more is planned than what remains can cost at the highest price', () => {
  const limits = { ...LIMITS, remainingBytes: 300 * MIB, downloadRate: 10 * MIB };
  assert.equal(spendingRate(limits), 100n, '3,000 atto over thirty seconds');
});

test('a tenth moves from the dearest lane per verified byte to the cheapest', () => {
  const plan = new SpendPlan();
  for (const key of [1, 2, 3]) plan.add(key);
  const before = [1, 2, 3].map((key) => plan.shareOf(key));
  plan.rebalance([lane(1, 900, 10), lane(2, 100, 10), lane(3, 500, 10)]);
  const moved = [1, 2, 3].map((key, at) => plan.shareOf(key) - (before[at] ?? 0));
  assert.deepEqual(moved, [-100_000, 100_000, 0]);
});

test('who takes money and verifies nothing is the dearest', () => {
  const plan = new SpendPlan();
  plan.add(1);
  plan.add(2);
  plan.rebalance([lane(1, 1, 0), lane(2, 999, 1)]);
  assert.deepEqual([plan.shareOf(1), plan.shareOf(2)], [400_000, 600_000]);
});

test('a dear lane keeps a little, so that it can win back trust', () => {
  const plan = new SpendPlan();
  plan.add(1);
  plan.add(2);
  for (let at = 0; at < 50; at++) plan.rebalance([lane(1, 900, 1), lane(2, 100, 1)]);
  assert.equal(plan.shareOf(1), 10_000);
});

test('property: the parts always add up to the whole', () => {
  const step = fc.record({ key: fc.nat(12), kind: fc.nat(2), spent: fc.nat(), mib: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const plan = new SpendPlan();
      const keys = new Set<number>();
      for (const { key, kind, spent, mib } of steps) {
        if (kind === 0) {
          plan.add(key);
          keys.add(key);
        } else if (kind === 1) {
          plan.remove(key);
          keys.delete(key);
        } else {
          plan.rebalance([...keys].map((one) => lane(one, (spent * (one + 1)) % 997, mib)));
        }
        const shares = [...keys].map((one) => plan.shareOf(one));
        assert.equal(plan.laneCount, keys.size);
        assert.ok(shares.every((share) => share >= 0));
        assert.equal(
          shares.reduce((sum, share) => sum + share, 0),
          keys.size === 0 ? 0 : SHARE_UNIT,
        );
      }
    }),
    { numRuns: 500 },
  );
});
