import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readRange } from './byte-range.ts';

/** The examples of RFC 9110, section 14.1.2, for a file of 10,000 bytes. */
const EXAMPLES: readonly (readonly [string, number, number])[] = [
  ['bytes=0-499', 0, 500],
  ['bytes=500-999', 500, 1000],
  ['bytes=-500', 9500, 10_000],
  ['bytes=9500-', 9500, 10_000],
];

for (const [header, start, end] of EXAMPLES) {
  test(`${header} of 10,000 bytes`, () => {
    assert.deepEqual(readRange(header, 10_000), { kind: 'part', range: { start, end } });
  });
}

test('a range that goes past the end is cut off there', () => {
  const range = { start: 5, end: 10 };
  assert.deepEqual(readRange('bytes=5-999', 10), { kind: 'part', range });
  assert.deepEqual(readRange('bytes=-999', 10), { kind: 'part', range: { start: 0, end: 10 } });
});

test('a range that begins at or after the end cannot be satisfied, nor can the last 0 bytes', () => {
  for (const header of ['bytes=10-', 'bytes=10-20', 'bytes=-0']) {
    assert.deepEqual(readRange(header, 10), { kind: 'unsatisfiable' });
  }
  assert.deepEqual(readRange('bytes=0-', 0), { kind: 'unsatisfiable' });
});

test('what is malformed, unknown or several ranges at once is ignored', () => {
  for (const header of [
    ...[undefined, '', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=a-b', 'bytes 0-4', 'lines=0-4'],
    ...['bytes=0-4,6-8', 'bytes=0-4-8', 'bytes=99999999999999999999-'],
  ]) {
    assert.deepEqual(readRange(header, 10), { kind: 'whole' }, header);
  }
});

test('every part lies within the file and is not empty', () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,4}-\d{0,4}$/));
  fc.assert(
    fc.property(header, fc.nat(2000), (text, lengthBytes) => {
      const outcome = readRange(text, lengthBytes);
      if (outcome.kind !== 'part') return;
      const { start, end } = outcome.range;
      assert.ok(0 <= start && start < end && end <= lengthBytes);
    }),
  );
});
