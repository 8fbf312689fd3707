import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attoPerMib } from '../units/index.ts';
import { type Ask, firstAsk, nextAsk } from './ask.ts';

const price = (value: number) => attoPerMib(BigInt(value));
const AUTOMATIC: Ask = {
  kind: 'automatic',
  start: price(1000),
  lowest: price(500),
  highest: price(1500),
};
const quiet = { pricedOutCount: 0, buyingCount: 0, utilisation: 0 };

test('a fixed ask stays whatever happens', () => {
  const fixed: Ask = { kind: 'fixed', price: price(7) };
  assert.equal(firstAsk(fixed), 7n);
  assert.equal(nextAsk(fixed, price(7), { ...quiet, pricedOutCount: 9 }), 7n);
});

test('an automatic ask falls while buyers are priced out of an empty line', () => {
  assert.equal(nextAsk(AUTOMATIC, price(1000), { ...quiet, pricedOutCount: 1 }), 900n);
});

test('an automatic ask rises when nearly all is sold', () => {
  const busy = { pricedOutCount: 3, buyingCount: 2, utilisation: 0.95 };
  assert.equal(nextAsk(AUTOMATIC, price(1000), busy), 1050n);
});

test('with nobody there it stays', () => {
  assert.equal(nextAsk(AUTOMATIC, price(1000), quiet), 1000n);
});

test('it keeps inside its bounds', () => {
  const cheap = { ...quiet, pricedOutCount: 1 };
  assert.equal(nextAsk(AUTOMATIC, price(510), cheap), 500n);
  const busy = { pricedOutCount: 0, buyingCount: 1, utilisation: 1 };
  assert.equal(nextAsk(AUTOMATIC, price(1490), busy), 1500n);
});
