import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Atto, atto, parseAddress, parseHash32, unixSeconds } from '../units/index.ts';
import { buildLaneTree, LANES_MAX } from './lane-tree.ts';
import { judgeSigning, laneRemainder, nextVoucherAmount, type PurseLane } from './purse-rules.ts';

const ID = parseHash32(`0x${'a1'.repeat(32)}`);
const PAYEE = parseAddress(`0x${'b2'.repeat(20)}`);
const NOW = unixSeconds(1_800_000_000);

function laneOf(cap: Atto, signed: Atto, index = 0): PurseLane {
  const tree = buildLaneTree([{ payee: PAYEE, cap }]);
  const { root, sum, depth, laneCount } = tree;
  return {
    header: { payer: PAYEE, root, sum, expiry: NOW, signer: PAYEE, depth, laneCount },
    lane: { index, payee: PAYEE, cap },
    signed,
  };
}

test('the next voucher is what is owed, between what was signed and the cap', () => {
  const lane = laneOf(atto(100n), atto(40n));
  assert.equal(nextVoucherAmount(lane, atto(60n)), 60n);
  assert.equal(nextVoucherAmount(lane, atto(10n)), 40n);
  assert.equal(nextVoucherAmount(lane, atto(101n)), 100n);
  assert.equal(laneRemainder(lane), 60n);
});

test('the purse does not sign less, above the cap, late, or beyond the budget', () => {
  const lane = laneOf(atto(100n), atto(40n));
  const code = (amount: bigint, late = 0, budgetLeft = 1000n): string => {
    const purse = { now: unixSeconds(NOW + late), budgetLeft: atto(budgetLeft) };
    const verdict = judgeSigning({ allotment: ID, lane: 0, amount: atto(amount) }, lane, purse);
    return verdict.ok ? `adds ${verdict.adds}` : verdict.refusal.code;
  };
  assert.equal(code(39n), 'sign-less');
  assert.equal(code(40n), 'adds 0');
  assert.equal(code(100n), 'adds 60');
  assert.equal(code(101n), 'sign-above-cap');
  assert.equal(code(50n, 0, 10n), 'adds 10');
  assert.equal(code(50n, 0, 9n), 'sign-budget');
  assert.equal(code(50n, 1), 'sign-expired');
});

test('property: all that is ever signed of an allotment stays within its sum and the budget', () => {
  const caps = fc.array(fc.bigInt({ min: 1n, max: 1000n }), { minLength: 1, maxLength: LANES_MAX });
  const orders = fc.array(fc.tuple(fc.nat(), fc.bigInt({ min: 0n, max: 2000n })), {
    maxLength: 60,
  });
  const budgets = fc.bigInt({ min: 0n, max: 5000n });
  fc.assert(
    fc.property(caps, orders, budgets, (amounts, wanted, budget) => {
      const lanes = amounts.map((cap, at) => laneOf(atto(cap), atto(0n), at));
      const deposit = amounts.reduce((sum, cap) => sum + cap, 0n);
      let spent = 0n;
      for (const [which, owed] of wanted) {
        const at = which % lanes.length;
        const lane = lanes[at] as PurseLane;
        const amount = nextVoucherAmount(lane, atto(owed));
        const purse = { now: NOW, budgetLeft: atto(budget - spent) };
        const verdict = judgeSigning({ allotment: ID, lane: at, amount }, lane, purse);
        if (!verdict.ok) {
          assert.equal(verdict.refusal.code, 'sign-budget');
          continue;
        }
        lanes[at] = { ...lane, signed: amount };
        spent += verdict.adds;
      }
      const paid = lanes.reduce((sum, lane) => sum + lane.signed, 0n);
      assert.equal(paid, spent);
      assert.ok(paid <= deposit && paid <= budget);
    }),
    { numRuns: 300 },
  );
});
