import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AssertionFailure,
  ATTO_MAX,
  ATTO_PER_BTT,
  addAtto,
  atto,
  attoPerMib,
  attoPerSecond,
  bytes,
  costOf,
  formatBtt,
  MIB,
  minAtto,
  parseAtto,
  parseBtt,
  parseBttPerGib,
  perGib,
  subtractAttoFloor,
  UnitsError,
  type UnitsErrorCode,
  ZERO_ATTO,
} from './index.ts';

const amount = fc.bigInt({ min: 0n, max: ATTO_MAX });

function refused(code: UnitsErrorCode, action: () => unknown): void {
  assert.throws(action, (failure) => failure instanceof UnitsError && failure.code === code);
}

test('a single byte at the lowest price still costs one atto', () => {
  assert.equal(costOf(bytes(1), attoPerMib(1n)), 1n);
});

test('a whole MiB costs exactly its price, one byte more costs the next atto', () => {
  assert.equal(costOf(bytes(MIB), attoPerMib(7n)), 7n);
  assert.equal(costOf(bytes(MIB + 1), attoPerMib(7n)), 8n);
});

test('nothing costs nothing, and everything is free at price zero', () => {
  assert.equal(costOf(bytes(0), attoPerMib(5n)), 0n);
  assert.equal(costOf(bytes(12345), attoPerMib(0n)), 0n);
});

test('splitting a purchase never makes it cheaper', () => {
  const size = fc.nat(2 ** 40);
  fc.assert(
    fc.property(size, size, fc.bigInt({ min: 0n, max: 10n ** 24n }), (a, b, value) => {
      const price = attoPerMib(value);
      const apart = costOf(bytes(a), price) + costOf(bytes(b), price);
      const together = costOf(bytes(a + b), price);
      assert.ok(apart >= together && apart <= together + 1n);
    }),
  );
});

test('amounts outside 0 to 2^128-1 are our own mistake', () => {
  assert.equal(atto(ATTO_MAX), ATTO_MAX);
  for (const value of [-1n, ATTO_MAX + 1n]) assert.throws(() => atto(value), AssertionFailure);
  assert.throws(() => addAtto(atto(ATTO_MAX), atto(1n)), AssertionFailure);
  assert.throws(() => attoPerMib(-1n), AssertionFailure);
  assert.throws(() => attoPerSecond(-1n), AssertionFailure);
  assert.equal(attoPerSecond(3n), 3n);
});

test('a subtraction stops at zero', () => {
  assert.equal(subtractAttoFloor(atto(5n), atto(3n)), 2n);
  assert.equal(subtractAttoFloor(atto(3n), atto(5n)), ZERO_ATTO);
  assert.equal(minAtto(atto(3n), atto(5n)), 3n);
  assert.equal(minAtto(atto(5n), atto(3n)), 3n);
});

test('atto are read from decimal digits and nothing else', () => {
  assert.equal(parseAtto('0'), 0n);
  assert.equal(parseAtto(`${ATTO_MAX}`), ATTO_MAX);
  for (const text of ['', '-1', '1.0', '0x10', '1e3', ' 1', `${ATTO_MAX + 1n}`, '9'.repeat(40)]) {
    refused('UNITS_AMOUNT', () => parseAtto(text));
  }
});

test('BTT are read as people type them, exactly', () => {
  assert.equal(parseBtt('12'), 12n * ATTO_PER_BTT);
  assert.equal(parseBtt(' 0.5 '), ATTO_PER_BTT / 2n);
  assert.equal(parseBtt('1000.000000000000000001'), 1000n * ATTO_PER_BTT + 1n);
  for (const text of ['', '.5', '5.', '-1', '+1', '1,5', '1e3', '0.0000000000000000001', 'NaN']) {
    refused('UNITS_AMOUNT', () => parseBtt(text));
  }
});

test('more BTT than the contract can hold are refused, not a crash of ours', () => {
  assert.equal(parseBtt('340282366920938463463.374607431768211455'), ATTO_MAX);
  for (const text of ['340282366920938463463.374607431768211456', '9'.repeat(21)]) {
    refused('UNITS_AMOUNT', () => parseBtt(text));
  }
});

test('what is shown in BTT is read back to the same amount', () => {
  assert.equal(formatBtt(atto(0n)), '0');
  assert.equal(formatBtt(atto(ATTO_PER_BTT + ATTO_PER_BTT / 4n)), '1.25');
  assert.equal(formatBtt(atto(1n)), '0.000000000000000001');
  fc.assert(
    fc.property(amount, (value) => {
      assert.equal(parseBtt(formatBtt(atto(value))), value);
      assert.equal(parseAtto(`${value}`), value);
    }),
  );
});

test('a price per GiB is 1024 prices per MiB, rounded down to an atto', () => {
  assert.equal(parseBttPerGib('1'), ATTO_PER_BTT / 1024n);
  assert.equal(perGib(attoPerMib(3n)), 3072n);
  assert.equal(perGib(parseBttPerGib('0.000000000000001025')), 1024n);
});
