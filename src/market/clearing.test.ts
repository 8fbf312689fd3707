import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attoPerMib, attoPerSecond, bytesPerSecond, MIB, UNLIMITED } from '../units/index.ts';
import { clearingPrice, type MarketBid, type MarketSupply, sharesAtPrice } from './clearing.ts';

const RESERVE = attoPerMib(100n);

function bid(key: number, budget: bigint, rest: Partial<MarketBid> = {}): MarketBid {
  return {
    key,
    budget: attoPerSecond(budget),
    maxPrice: attoPerMib(1_000_000n),
    maxRate: UNLIMITED,
    barterRate: bytesPerSecond(0),
    ...rest,
  };
}

function market(mib: number, ...bids: readonly MarketBid[]): MarketSupply {
  return { bids, supply: bytesPerSecond(mib * MIB), barterPrice: RESERVE };
}

function outcome(supply: MarketSupply) {
  const price = clearingPrice(supply, RESERVE);
  const shares = sharesAtPrice(supply, price);
  return { price, shares, mib: shares.map((share) => Math.round((share.rate / MIB) * 100) / 100) };
}

test('without scarcity the price is the reserve, however much is bid', () => {
  const supply = { ...market(0, bid(1, 10n ** 21n), bid(2, 5n)), supply: UNLIMITED };
  assert.equal(clearingPrice(supply, RESERVE), RESERVE);
});

test('two who bid beyond the supply share it in proportion and set the price', () => {
  const { price, mib } = outcome(market(10, bid(1, 3000n), bid(2, 1000n)));
  assert.equal(price, 400n);
  assert.deepEqual(mib, [7.5, 2.5]);
});

test('a lone bidder does not bid against itself', () => {
  const { price, mib } = outcome(market(10, bid(1, 10n ** 18n)));
  assert.equal(price, RESERVE);
  assert.deepEqual(mib, [10]);
});

test('who wants only so much leaves the rest to others', () => {
  const slow = bid(1, 9000n, { maxRate: bytesPerSecond(2 * MIB) });
  const { price, mib } = outcome(market(10, slow, bid(2, 4000n)));
  assert.equal(price, 500n);
  assert.deepEqual(mib, [2, 8]);
});

test('bytes received count as payment at the last price, and lower the personal price', () => {
  const trader = bid(1, 1000n, { barterRate: bytesPerSecond(10 * MIB) });
  const { price, mib, shares } = outcome(market(10, trader, bid(2, 2000n)));
  assert.equal(price, 400n, '1000 cash + 1000 in kind + 2000 cash over 10 MiB/s');
  assert.deepEqual(mib, [5, 5]);
  assert.deepEqual(
    shares.map((share) => share.price),
    [200n, 400n],
  );
});

test('above its limit a bidder keeps only what it trades in kind, free of charge', () => {
  const limited = bid(1, 5000n, {
    maxPrice: attoPerMib(150n),
    barterRate: bytesPerSecond(4 * MIB),
  });
  const { price, shares, mib } = outcome(market(10, limited, bid(2, 3600n)));
  assert.equal(price, 400n);
  assert.deepEqual(mib, [1, 9]);
  assert.equal(shares[0]?.price, 0n);
});

test('those whose limit is the clearing price share what the others leave', () => {
  const limit = { maxPrice: attoPerMib(200n) };
  const { price, mib } = outcome(
    market(10, bid(1, 8000n, limit), bid(2, 4000n, limit), bid(3, 800n)),
  );
  assert.equal(price, 200n);
  assert.deepEqual(mib, [4, 2, 4]);
});

test('nothing for sale sells nothing', () => {
  const { mib } = outcome(market(0, bid(1, 3000n), bid(2, 1000n)));
  assert.deepEqual(mib, [0, 0]);
});

const anyBid = fc.record({
  budget: fc.bigInt(0n, 10n ** 24n),
  maxPrice: fc.bigInt(0n, 10n ** 20n),
  maxRate: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(1e9)),
  barterRate: fc.nat(1e8),
});
const anyMarket = fc
  .record({
    bids: fc.array(anyBid, { maxLength: 8 }),
    supply: fc.nat(1e9),
    barterPrice: fc.bigInt(1n, 10n ** 18n),
    reserve: fc.bigInt(1n, 10n ** 18n),
  })
  .map(({ bids, supply, barterPrice, reserve }) => ({
    reserve: attoPerMib(reserve),
    market: {
      bids: bids.map((one, key) => ({
        key,
        budget: attoPerSecond(one.budget),
        maxPrice: attoPerMib(one.maxPrice),
        maxRate: bytesPerSecond(one.maxRate),
        barterRate: bytesPerSecond(one.barterRate),
      })),
      supply: bytesPerSecond(supply),
      barterPrice: attoPerMib(barterPrice),
    } satisfies MarketSupply,
  }));

function total(supply: MarketSupply, price: bigint): number {
  return sharesAtPrice(supply, attoPerMib(price)).reduce((sum, share) => sum + share.rate, 0);
}

test('property: no more is sold than there is, at no less than the reserve', () => {
  fc.assert(
    fc.property(anyMarket, fc.bigInt(1n, 10n ** 20n), ({ market: supply, reserve }, price) => {
      assert.ok(clearingPrice(supply, reserve) >= reserve);
      assert.ok(total(supply, price) <= supply.supply, 'at any price, not only the clearing one');
    }),
    { numRuns: 500 },
  );
});

test('property: the price is the lowest that clears, up to one step of rationing', () => {
  fc.assert(
    fc.property(anyMarket, ({ market: supply, reserve }) => {
      const price = clearingPrice(supply, reserve);
      const roomy = { ...supply, supply: UNLIMITED };
      const capped = {
        ...roomy,
        bids: supply.bids.map((one) => ({
          ...one,
          maxRate: bytesPerSecond(Math.min(one.maxRate, supply.supply)),
        })),
      };
      assert.ok(total(capped, price + 1n) <= supply.supply, 'one atto more always clears');
      if (price > reserve) assert.ok(total(capped, price - 1n) > supply.supply);
    }),
    { numRuns: 500 },
  );
});

test('property: demand falls as the price rises', () => {
  fc.assert(
    fc.property(
      anyMarket,
      fc.bigInt(1n, 10n ** 20n),
      fc.bigInt(1n, 10n ** 20n),
      ({ market: supply }, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        const roomy = { ...supply, supply: UNLIMITED };
        assert.ok(total(roomy, low) >= total(roomy, high));
      },
    ),
    { numRuns: 500 },
  );
});

test('property: nobody pays more than the price, its own limit, or its budget', () => {
  fc.assert(
    fc.property(anyMarket, ({ market: supply, reserve }) => {
      const price = clearingPrice(supply, reserve);
      for (const share of sharesAtPrice(supply, price)) {
        const one = supply.bids[share.key] as MarketBid;
        assert.ok(share.price <= price);
        assert.ok(share.price === 0n || price <= one.maxPrice);
        const paid = (BigInt(share.rate) * share.price) / BigInt(MIB);
        // The personal price is rounded up by less than an atto per MiB.
        assert.ok(paid <= one.budget + BigInt(share.rate) / BigInt(MIB) + 1n);
      }
    }),
    { numRuns: 500 },
  );
});

test('property: splitting an identity in two changes nobody’s share', () => {
  fc.assert(
    fc.property(anyMarket, fc.nat(), ({ market: supply, reserve }, which) => {
      fc.pre(supply.bids.length > 1);
      const victim = supply.bids[which % supply.bids.length] as MarketBid;
      // Splits evenly what can be split evenly; unlimited demand would be a different bid twice.
      const whole = {
        ...victim,
        budget: attoPerSecond(victim.budget * 2n),
        barterRate: bytesPerSecond(victim.barterRate * 2),
        maxRate: bytesPerSecond(Math.min(victim.maxRate, supply.supply / 4) * 2),
      };
      const half = { ...whole, budget: victim.budget, barterRate: victim.barterRate };
      const halves = [100, 101].map((key) => ({
        ...half,
        key,
        maxRate: bytesPerSecond(whole.maxRate / 2),
      }));
      const others = supply.bids.filter((one) => one !== victim);
      const one = { ...supply, bids: [...others, whole] };
      const two = { ...supply, bids: [...others, ...halves] };
      const price = clearingPrice(one, reserve);
      const [before, after] = [sharesAtPrice(one, price), sharesAtPrice(two, price)];
      const gain = (after.at(-1)?.rate ?? 0) + (after.at(-2)?.rate ?? 0);
      // Barter is worth whole atto: at a price of some atto one of them buys a good part of a MiB.
      const rounding = 4 + (2 * MIB) / Number(price);
      assert.ok(Math.abs(gain - (before.at(-1)?.rate ?? 0)) <= rounding, 'rounding only');
      for (const [at, share] of before.slice(0, -1).entries()) {
        assert.ok(Math.abs(share.rate - (after[at]?.rate ?? 0)) <= rounding);
      }
    }),
    { numRuns: 500 },
  );
});
