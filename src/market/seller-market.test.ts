import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attoPerMib,
  attoPerSecond,
  bytesPerSecond,
  instant,
  MIB,
  seededRandom,
  UNLIMITED,
} from '../units/index.ts';
import type { MarketBid } from './clearing.ts';
import { dampedPrice, FREE_SHARE, SellerMarket, saleSupply } from './seller-market.ts';

const RESERVE = attoPerMib(100n);

function greedy(key: number, budget = 10n ** 12n): MarketBid {
  return {
    key,
    budget: attoPerSecond(budget),
    maxPrice: attoPerMib(10n ** 9n),
    maxRate: UNLIMITED,
    barterRate: bytesPerSecond(0),
  };
}

function round(market: SellerMarket, ms: number, bids: readonly MarketBid[], mib = 10) {
  const capacity = bytesPerSecond(mib * MIB);
  return market.round({ now: instant(ms), capacity, reserve: RESERVE, bids });
}

test('the price climbs by at most a quarter a round, and falls by at most a fifth', () => {
  const market = new SellerMarket();
  const rising = [0, 10_000, 20_000].map((ms) => round(market, ms, [greedy(1), greedy(2)]).price);
  assert.deepEqual(rising, [125n, 156n, 195n]);
  const falling = [30_000, 40_000, 50_000, 60_000].map((ms) => round(market, ms, []).price);
  assert.deepEqual(falling, [156n, 124n, 100n, 100n]);
});

test('between clearing rounds the price stands, and newcomers share what is for sale', () => {
  const market = new SellerMarket();
  const first = round(market, 0, [greedy(1), greedy(2)]);
  const next = round(market, 9_999, [greedy(1), greedy(2), greedy(3), greedy(4)]);
  assert.equal(next.isNewPrice, false);
  assert.equal(next.price, first.price);
  assert.deepEqual(
    next.shares.map((share) => share.rate),
    [2, 2, 2, 2].map((mib) => mib * MIB),
  );
});

test('a reserve above the damped price counts at once', () => {
  const market = new SellerMarket();
  round(market, 0, []);
  const raised = market.round({
    now: instant(1),
    capacity: bytesPerSecond(MIB),
    reserve: attoPerMib(5_000n),
    bids: [],
  });
  assert.equal(raised.price, 5_000n);
});

test('a price of one atto can still rise', () => {
  const one = attoPerMib(1n);
  assert.equal(dampedPrice({ target: attoPerMib(9n), previous: one, reserve: one }), 2n);
});

test('without a limit nothing is scarce: the price stays at the reserve', () => {
  const market = new SellerMarket();
  for (let ms = 0; ms < 100_000; ms += 10_000) {
    const { price } = market.round({
      now: instant(ms),
      capacity: UNLIMITED,
      reserve: RESERVE,
      bids: [greedy(1), greedy(2)],
    });
    assert.equal(price, RESERVE);
  }
});

test('property: over any history a fifth stays free and prices stay damped', () => {
  const step = fc.record({
    bidders: fc.nat(6),
    budget: fc.bigInt(0n, 10n ** 15n),
    capacity: fc.nat(1e9),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.nat(), (steps, seed) => {
      const random = seededRandom(seed);
      const market = new SellerMarket();
      let previous = market.priceOr(RESERVE);
      for (const [at, { bidders, budget, capacity }] of steps.entries()) {
        const bids = Array.from({ length: bidders }, (_, key) =>
          greedy(key, (budget * BigInt(1 + Math.floor(random() * 9))) / 10n),
        );
        const now = instant(at * 10_000);
        const rate = bytesPerSecond(capacity);
        const result = market.round({ now, capacity: rate, reserve: RESERVE, bids });
        const sold = result.shares.reduce((sum, share) => sum + share.rate, 0);
        assert.ok(sold <= saleSupply(rate));
        assert.ok(result.freeRate >= FREE_SHARE * capacity - 1e-6 * capacity);
        assert.ok(result.price * 4n <= previous * 5n + 4n, 'at most a quarter up');
        assert.ok(result.price * 5n >= previous * 4n - 5n, 'at most a fifth down');
        previous = result.price;
      }
    }),
    { numRuns: 300 },
  );
});
