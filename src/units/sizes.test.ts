import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AssertionFailure,
  addressFromBytes,
  Bitfield,
  bytes,
  bytesPerSecond,
  concatBytes,
  equalBytes,
  formatSize,
  fromHex,
  GIB,
  hash32FromBytes,
  hashBytes,
  instant,
  KIB,
  MIB,
  parseAddress,
  parseHash32,
  parseRate,
  parseSize,
  randomInt,
  seededRandom,
  shuffle,
  toHex,
  UNLIMITED,
  UnitsError,
  type UnitsErrorCode,
  unixSeconds,
  ZERO_ADDRESS,
} from './index.ts';

function refused(code: UnitsErrorCode, action: () => unknown): void {
  assert.throws(action, (failure) => failure instanceof UnitsError && failure.code === code);
}

test('sizes are read as people write them', () => {
  const examples: readonly (readonly [string, number])[] = [
    ['16384', 16384],
    ['0', 0],
    ['256K', 256 * KIB],
    ['256 KiB', 256 * KIB],
    ['2kb', 2000],
    ['1.5MiB', 1.5 * MIB],
    ['2GB', 2e9],
    ['2g', 2 * GIB],
    [' 7b ', 7],
    ['1.9', 1],
  ];
  for (const [text, size] of examples) assert.equal(parseSize(text), size, text);
  for (const text of ['', 'K', '-1', '1..5M', '5 T', '1e3', '0x10', '9007199254740992']) {
    refused('UNITS_SIZE', () => parseSize(text));
  }
});

test('rates are sizes a second, unlimited, and never zero', () => {
  assert.equal(parseRate('500KiB/s'), 500 * KIB);
  assert.equal(parseRate('2M'), 2 * MIB);
  assert.equal(parseRate(' Unlimited '), UNLIMITED);
  for (const text of ['0', '0.4', 'fast', '/s', '5/s/s']) {
    refused('UNITS_SIZE', () => parseRate(text));
  }
});

test('sizes that are no sizes are our own mistake', () => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53, Infinity]) {
    assert.throws(() => bytes(value), AssertionFailure);
  }
  for (const value of [-1, Number.NaN]) {
    assert.throws(() => bytesPerSecond(value), AssertionFailure);
  }
  assert.equal(bytesPerSecond(0.5), 0.5);
});

test('sizes are shown with three digits', () => {
  assert.equal(formatSize(0), '0 B');
  assert.equal(formatSize(1023), '1023 B');
  assert.equal(formatSize(1.5 * MIB), '1.50 MiB');
  assert.equal(formatSize(15 * KIB), '15.0 KiB');
  assert.equal(formatSize(300 * GIB), '300 GiB');
});

test('a bitfield has its first piece in the high bit (BEP 3)', () => {
  const field = new Bitfield(10);
  field.set(0);
  field.set(9);
  assert.deepEqual([...field.toBytes()], [0x80, 0x40]);
});

test('a bitfield of a wrong length or with a spare bit set is refused (BEP 3)', () => {
  assert.equal(Bitfield.fromBytes(Uint8Array.of(0xff), 9), null);
  assert.equal(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80, 0), 9), null);
  assert.equal(Bitfield.fromBytes(Uint8Array.of(0xff, 0x81), 9), null);
  assert.equal(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80), 9)?.isComplete, true);
  assert.equal(Bitfield.fromBytes(new Uint8Array(0), 0)?.isComplete, true);
});

test('a bitfield is the set of what was set and not cleared', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (changes) => {
      const field = new Bitfield(41);
      const model = new Set<number>();
      for (const [isSet, index] of changes) {
        const changed = isSet ? field.set(index) : field.clear(index);
        assert.equal(changed, isSet !== model.has(index));
        if (isSet) model.add(index);
        else model.delete(index);
      }
      for (let index = 0; index < 41; index++) assert.equal(field.has(index), model.has(index));
      assert.equal(field.count, model.size);
      assert.deepEqual(Bitfield.fromBytes(field.toBytes(), 41), field);
      assert.deepEqual(field.clone(), field);
    }),
  );
});

test('copies of a bitfield are its own', () => {
  const field = new Bitfield(8);
  const copy = field.clone();
  field.toBytes().fill(0xff);
  field.set(1);
  assert.equal(copy.count, 0);
  field.setAll();
  assert.ok(field.isComplete);
});

test('no bit outside a bitfield is set', () => {
  const field = new Bitfield(8);
  assert.throws(() => field.set(8), AssertionFailure);
  assert.throws(() => field.set(-1), AssertionFailure);
  assert.equal(field.has(8), false);
  assert.equal(field.clear(8), false);
  assert.throws(() => new Bitfield(-1), AssertionFailure);
});

test('hex is read in either case, with or without 0x, and written in lower case', () => {
  assert.deepEqual([...fromHex('0xAbCD01')], [0xab, 0xcd, 1]);
  assert.deepEqual([...fromHex('')], []);
  for (const text of ['1', '0xg0', '12 34', '0x0x12']) refused('UNITS_HEX', () => fromHex(text));
  fc.assert(
    fc.property(fc.uint8Array(), (view) => {
      assert.deepEqual(fromHex(toHex(view)), view);
    }),
  );
});

test('arrays are equal byte by byte, and joined in order', () => {
  assert.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)));
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  const joined = concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3));
  assert.deepEqual([...joined], [1, 2, 3]);
});

test('addresses and hashes have one spelling, so that they can be keys', () => {
  const text = `0x${'aB'.repeat(20)}`;
  assert.equal(parseAddress(text), text.toLowerCase());
  assert.equal(addressFromBytes(hashBytes(parseAddress(text))), text.toLowerCase());
  assert.equal(ZERO_ADDRESS, `0x${'0'.repeat(40)}`);
  const hash = `0x${'Cd'.repeat(32)}`;
  assert.equal(hash32FromBytes(hashBytes(parseHash32(hash))), hash.toLowerCase());
  for (const wrong of ['', '0x', 'ab'.repeat(20), `${text}0`, `0x${'zz'.repeat(20)}`]) {
    refused('UNITS_HEX', () => parseAddress(wrong));
    refused('UNITS_HEX', () => parseHash32(wrong));
  }
});

test('the same seed gives the same numbers, spread over [0, 1)', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 1000 }, random);
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  const mean = draw(7).reduce((sum, value) => sum + value, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.05);
  for (const value of draw(7)) assert.ok(value >= 0 && value < 1);
});

test('a shuffle keeps every item and moves them', () => {
  const items = Array.from({ length: 50 }, (_, at) => at);
  const mixed = shuffle([...items], seededRandom(3));
  assert.notDeepEqual(mixed, items);
  assert.deepEqual(
    [...mixed].sort((a, b) => a - b),
    items,
  );
  assert.equal(
    randomInt(() => 0.9999, 10),
    9,
  );
});

test('wall-clock seconds are whole, rounded down', () => {
  assert.equal(unixSeconds(12.9), 12);
  assert.equal(instant(1.5), 1.5);
});
