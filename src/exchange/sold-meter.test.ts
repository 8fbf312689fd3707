import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atto, attoPerMib, MIB } from '../units/index.ts';
import { bytesFor, SoldMeter, tagOf } from './sold-meter.ts';

const PRICE = attoPerMib(1000n);

test('tags are small, never zero, and wrap around', () => {
  assert.deepEqual([1, 2, 255, 256].map(tagOf), [1, 2, 255, 1]);
});

test('bytes are summed before the cost is rounded up', () => {
  const meter = new SoldMeter();
  meter.open(1, attoPerMib(1n));
  for (let at = 0; at < 64; at++) meter.add(1, MIB / 64);
  assert.equal(meter.owed, 1n);
  meter.add(1, 1);
  assert.equal(meter.owed, 2n);
});

test('bytes of an unknown tag are not sold', () => {
  const meter = new SoldMeter();
  assert.equal(meter.add(3, 100), false);
  assert.equal(meter.size, 0);
});

test('the oldest quotes are paid first', () => {
  const meter = new SoldMeter();
  meter.open(1, PRICE);
  meter.add(1, MIB);
  meter.open(2, attoPerMib(4000n));
  meter.add(2, MIB);
  assert.equal(meter.owed, 5000n);
  assert.equal(meter.unpaidBytes(atto(0n)), 2 * MIB);
  assert.equal(meter.unpaidBytes(atto(1000n)), MIB);
  assert.equal(meter.unpaidBytes(atto(3000n)), MIB / 2);
  assert.equal(meter.unpaidBytes(atto(5000n)), 0);
});

test('a quote accepted again goes on where it was', () => {
  const meter = new SoldMeter();
  meter.open(1, attoPerMib(1n));
  meter.add(1, 1);
  meter.open(1, attoPerMib(1n));
  meter.add(1, 1);
  assert.equal(meter.owed, 1n);
});

test('what an amount buys is rounded down; at no price, everything', () => {
  assert.equal(bytesFor(atto(1n), PRICE), 1048);
  assert.equal(bytesFor(atto(1n), attoPerMib(0n)), Infinity);
});

test('property: two meters fed the same blocks in another order agree to the atto', () => {
  const block = fc.record({
    tag: fc.integer({ min: 1, max: 20 }),
    size: fc.integer({ min: 1, max: 16384 }),
  });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 80 }), fc.bigInt(0n, 10n ** 20n), (blocks, price) => {
      const [one, other] = [new SoldMeter(), new SoldMeter()];
      for (let tag = 1; tag <= 20; tag++) {
        for (const meter of [one, other]) meter.open(tag, attoPerMib(price + BigInt(tag)));
      }
      for (const { tag, size } of blocks) one.add(tag, size);
      for (const { tag, size } of [...blocks].reverse()) other.add(tag, size);
      assert.equal(one.owed, other.owed);
      assert.equal(one.unpaidBytes(atto(0n)) >= one.size || one.size === 0, true);
      assert.equal(one.unpaidBytes(one.owed), 0);
    }),
    { numRuns: 300 },
  );
});
