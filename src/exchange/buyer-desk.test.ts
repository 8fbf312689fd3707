import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { account, MemoryPurse } from '../sim/money/index.ts';
import { type Atto, atto, attoPerMib } from '../units/index.ts';
import { BuyerDesk } from './buyer-desk.ts';
import { MEMORY_ENTRIES_MAX } from './limits.ts';

function desk(budget: bigint): BuyerDesk {
  const options = { maxPrice: attoPerMib(1000n), budget: atto(budget) };
  return new BuyerDesk(new MemoryPurse(() => {}), options, () => null);
}

test('the first seller leaves half of the budget to those who come later', () => {
  const buyer = desk(1_000_000n);
  buyer.join(1);
  const first = buyer.laneShare(1, atto(1000n));
  assert.equal(first, 500_000n);
  buyer.commit(first);
  buyer.join(2);
  assert.equal(buyer.laneShare(2, atto(1000n)), 250_000n);
});

test('a small budget is not split into lanes that are not worth their gas', () => {
  const buyer = desk(10_000n);
  buyer.join(1);
  assert.equal(buyer.laneShare(1, atto(16_000n)), 10_000n);
});

test('a debt is carried to the next connection once', () => {
  const buyer = desk(1n);
  buyer.carry(account(7), atto(30n));
  buyer.carry(account(7), atto(12n));
  assert.equal(buyer.takeCarried(account(7)), 42n);
  assert.equal(buyer.takeCarried(account(7)), 0n);
});

test('debts to a million sellers are not remembered', () => {
  const buyer = desk(1n);
  for (let at = 0; at <= MEMORY_ENTRIES_MAX; at++) buyer.carry(account(at + 1), atto(1n));
  assert.equal(buyer.takeCarried(account(1)), 0n);
  assert.equal(buyer.takeCarried(account(2)), 1n);
});

test('property: spent and reserved never exceed the budget', () => {
  const step = fc.record({ key: fc.nat(5), kind: fc.nat(2), part: fc.nat(100) });
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), fc.array(step, { maxLength: 60 }), (budget, steps) => {
      const buyer = desk(budget);
      const open: Atto[] = [];
      for (const { key, kind, part } of steps) {
        buyer.join(key);
        const lane = open.pop();
        if (kind === 0 || lane === undefined) {
          const cap = buyer.laneShare(key, atto(BigInt(part)));
          buyer.commit(cap);
          open.push(cap);
          if (lane !== undefined) open.push(lane);
        } else if (kind === 1) {
          const paid = atto((lane * BigInt(part)) / 100n);
          buyer.spend(paid);
          open.push(atto(lane - paid));
        } else {
          buyer.uncommit(lane);
        }
        assert.ok(buyer.spent + buyer.committed <= budget);
      }
    }),
    { numRuns: 500 },
  );
});
