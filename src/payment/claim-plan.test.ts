import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atto, parseHash32, unixSeconds } from '../units/index.ts';
import {
  CLAIM_GAS_BASE,
  CLAIM_GAS_PER_LANE,
  CLAIM_LANES_MAX,
  type ClaimCandidate,
  gasShareOf,
  isWorthClaiming,
  planClaims,
} from './claim-plan.ts';

const NOW = unixSeconds(1_800_000_000);
const TWO_HOURS = 2 * 3600;
const COSTS = { now: NOW, attoPerGas: atto(1n) };

function lane(change: Partial<ClaimCandidate>): ClaimCandidate {
  return {
    allotment: parseHash32(`0x${'a1'.repeat(32)}`),
    lane: 0,
    best: atto(10_000_000n),
    cap: atto(20_000_000n),
    expiry: unixSeconds(NOW + 86_400),
    isActive: false,
    ...change,
  };
}

test('a finished lane is worth a claim from fifty times its share of the gas', () => {
  assert.equal(isWorthClaiming(lane({ best: atto(5000n) }), atto(100n), NOW), true);
  assert.equal(isWorthClaiming(lane({ best: atto(4999n) }), atto(100n), NOW), false);
});

test('a lane that still earns is left to grow, until it is full', () => {
  assert.equal(isWorthClaiming(lane({ isActive: true }), atto(100n), NOW), false);
  const full = lane({ isActive: true, best: atto(20_000_000n) });
  assert.equal(isWorthClaiming(full, atto(100n), NOW), true);
});

test('two hours before expiry whatever brings more than it costs is claimed', () => {
  const expiry = unixSeconds(NOW + TWO_HOURS);
  const small = { best: atto(101n), isActive: true };
  assert.equal(isWorthClaiming(lane({ ...small, expiry }), atto(100n), NOW), true);
  assert.equal(isWorthClaiming(lane({ ...small, expiry }), atto(101n), NOW), false);
  const later = unixSeconds(expiry + 1);
  assert.equal(isWorthClaiming(lane({ ...small, expiry: later }), atto(100n), NOW), false);
});

test('the last second still counts and the next does not', () => {
  assert.equal(isWorthClaiming(lane({ expiry: NOW }), atto(1n), NOW), true);
  assert.equal(isWorthClaiming(lane({ expiry: unixSeconds(NOW - 1) }), atto(1n), NOW), false);
});

test('the share of the gas falls with the lanes, rounded up', () => {
  assert.equal(gasShareOf(1, atto(1n)), CLAIM_GAS_BASE + CLAIM_GAS_PER_LANE);
  assert.equal(gasShareOf(7, atto(1n)), CLAIM_GAS_PER_LANE + CLAIM_GAS_BASE / 7n + 1n);
});

test('lanes too poor to go alone go together', () => {
  // 50 × 68,500 for two lanes; 50 × 89,000 for one.
  const two = [
    lane({ lane: 0, best: atto(3_500_000n) }),
    lane({ lane: 1, best: atto(3_500_000n) }),
  ];
  assert.equal(planClaims(two, COSTS).length, 2);
  assert.equal(planClaims(two.slice(1), COSTS).length, 0);
});

test('what expires soon goes before what is worth more, and a batch is bounded', () => {
  const rich = Array.from({ length: CLAIM_LANES_MAX }, (_, at) => lane({ lane: at }));
  const urgent = lane({ lane: 99, best: atto(100_000n), expiry: unixSeconds(NOW + 60) });
  const batch = planClaims([...rich, urgent], COSTS);
  assert.equal(batch.length, CLAIM_LANES_MAX);
  assert.equal(batch[0], urgent);
});

test('property: every claimed lane brings more than its share of the very batch it is in', () => {
  const any = fc.record({
    best: fc.bigInt({ min: 0n, max: 5_000_000n }).map(atto),
    expiry: fc.integer({ min: -100, max: 20_000 }).map((left) => unixSeconds(NOW + left)),
    isActive: fc.boolean(),
    lane: fc.nat(127),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 80 }), (changes) => {
      const batch = planClaims(changes.map(lane), COSTS);
      for (const claimed of batch) {
        const share = gasShareOf(batch.length, COSTS.attoPerGas);
        assert.ok(claimed.best > share && claimed.expiry >= NOW);
        assert.ok(claimed.best >= 50n * share || claimed.expiry - NOW <= TWO_HOURS);
      }
    }),
    { numRuns: 500 },
  );
});
