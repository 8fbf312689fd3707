import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atto, instant, parseAddress, unixSeconds } from '../units/index.ts';
import { expiryAfter, isAllotmentDue, type LaneWish, planLanes } from './allotment-plan.ts';
import { buildLaneTree, LANES_MAX } from './lane-tree.ts';

const PAYEE = parseAddress(`0x${'b2'.repeat(20)}`);

function wish(sinceMs: number, cap = 100n): LaneWish {
  return { payee: PAYEE, cap: atto(cap), since: instant(sinceMs) };
}

test('nobody waits, nothing is opened', () => {
  assert.equal(isAllotmentDue([], instant(1e9)), false);
});

test('wishes are gathered for five seconds, and for ten while more keep coming', () => {
  assert.equal(isAllotmentDue([wish(0)], instant(4_999)), false);
  assert.equal(isAllotmentDue([wish(0)], instant(5_000)), true);
  assert.equal(isAllotmentDue([wish(0), wish(4_500)], instant(5_000)), false);
  assert.equal(isAllotmentDue([wish(0), wish(9_900)], instant(10_000)), true);
});

test('a full tree does not wait', () => {
  const many = Array.from({ length: LANES_MAX }, () => wish(0));
  assert.equal(isAllotmentDue(many, instant(1)), true);
});

test('caps are granted as wished while the money lasts', () => {
  const wishes = [wish(0, 60n), wish(1, 40n)];
  assert.deepEqual(planLanes(wishes, { available: atto(100n), capMin: atto(1n) }), wishes);
});

test('when money is short all caps shrink alike, rounded down', () => {
  const lanes = planLanes([wish(0, 60n), wish(1, 41n)], { available: atto(50n), capMin: atto(1n) });
  assert.deepEqual(
    lanes.map((lane) => lane.cap),
    [29n, 20n],
  );
});

test('when shrinking makes lanes useless, the youngest waits for the next allotment', () => {
  const wishes = [wish(0), wish(1), wish(2)];
  const lanes = planLanes(wishes, { available: atto(150n), capMin: atto(60n) });
  assert.deepEqual(
    lanes.map((lane) => [lane.since, lane.cap]),
    [
      [0, 75n],
      [1, 75n],
    ],
  );
});

test('the term is three days unless said otherwise', () => {
  assert.equal(expiryAfter(unixSeconds(1000)), 1000 + 3 * 86_400);
  assert.throws(() => expiryAfter(unixSeconds(1000), 8));
});

test('property: planned lanes make a tree that the available money covers', () => {
  const caps = fc.array(fc.bigInt({ min: 0n, max: 1000n }), { maxLength: 200 });
  const amount = fc.bigInt({ min: 0n, max: 20_000n });
  const least = fc.bigInt({ min: 1n, max: 500n });
  fc.assert(
    fc.property(caps, amount, least, (wished, available, capMin) => {
      const wishes = wished.map((cap, at) => wish(at, cap));
      const lanes = planLanes(wishes, { available: atto(available), capMin: atto(capMin) });
      if (lanes.length === 0) return;
      assert.ok(lanes.every((lane) => lane.cap >= capMin));
      assert.ok(buildLaneTree(lanes).sum <= available);
    }),
    { numRuns: 100 },
  );
});
