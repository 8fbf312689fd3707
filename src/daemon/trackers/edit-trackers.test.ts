import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../units/index.ts';
import { editTrackers, type TrackerEdit, type TrackerTiers } from './edit-trackers.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((host) => `http://${host}.test/announce`) as [
  string,
  string,
  string,
  string,
];

const TIERS: TrackerTiers = [[A, B], [C]];

test('added trackers have a tier of their own behind all others, or one that is there', () => {
  const urls = [D, ' udp://e.test:6969 ', A, D];
  assert.deepEqual(editTrackers(TIERS, { kind: 'add', urls }), [
    [A, B],
    [C],
    [D],
    ['udp://e.test:6969'],
  ]);
  assert.deepEqual(editTrackers(TIERS, { kind: 'add', urls: [D], tier: 1 }), [
    [A, B],
    [C, D],
  ]);
  assert.deepEqual(editTrackers(TIERS, { kind: 'add', urls: [D], tier: 7 }), [[A, B], [C], [D]]);
});

test('a removed tracker leaves the others in their tiers', () => {
  assert.deepEqual(editTrackers(TIERS, { kind: 'remove', urls: [A] }), [[B], [C]]);
  assert.deepEqual(editTrackers(TIERS, { kind: 'remove', urls: [C, A] }), [[B]]);
});

test('a replaced tracker leaves its place to the other, which is then there once', () => {
  assert.deepEqual(editTrackers(TIERS, { kind: 'replace', from: A, to: D }), [[D, B], [C]]);
  assert.deepEqual(editTrackers(TIERS, { kind: 'replace', from: A, to: C }), [[C, B]]);
  assert.deepEqual(editTrackers(TIERS, { kind: 'replace', from: A, to: A }), TIERS);
});

test('what is no tracker is refused in one line that shows no passkey', () => {
  for (const [edit, code] of [
    [{ kind: 'add', urls: ['ftp://h.test/SECRET/announce'] }, 'DAEMON_TRACKER_INVALID'],
    [{ kind: 'add', urls: ['h.test/SECRET'] }, 'DAEMON_TRACKER_INVALID'],
    [{ kind: 'add', urls: ['udp://SECRET@h.test'] }, 'DAEMON_TRACKER_INVALID'],
    [{ kind: 'replace', from: A, to: 'wss://h.test/SECRET' }, 'DAEMON_TRACKER_INVALID'],
    [{ kind: 'replace', from: 'http://h.test/SECRET', to: D }, 'DAEMON_TRACKER_UNKNOWN'],
    [{ kind: 'remove', urls: ['http://h.test/?k=SECRET'] }, 'DAEMON_TRACKER_UNKNOWN'],
  ] as const satisfies readonly (readonly [TrackerEdit, string])[]) {
    assert.throws(
      () => editTrackers(TIERS, edit),
      (failure) =>
        failure instanceof AppError &&
        failure.code === code &&
        failure.message.includes('h.test') &&
        !failure.message.includes('SECRET') &&
        !failure.message.includes('\n'),
    );
  }
});

test('after any edits no tracker is there twice, and no tier is empty', () => {
  const url = fc.constantFrom(A, B, C, D);
  const urls = fc.array(url, { minLength: 1, maxLength: 3 });
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), urls, tier: fc.nat(3) }),
    fc.record({ kind: fc.constant('remove' as const), urls }),
    fc.record({ kind: fc.constant('replace' as const), from: url, to: url }),
  );
  const property = fc.property(fc.array(edit, { maxLength: 10 }), (edits) => {
    let tiers = TIERS;
    for (const each of edits) {
      try {
        tiers = editTrackers(tiers, each);
      } catch (failure) {
        assert.equal((failure as AppError).code, 'DAEMON_TRACKER_UNKNOWN');
      }
    }
    assert.equal(new Set(tiers.flat()).size, tiers.flat().length);
    assert.ok(tiers.every((tier) => tier.length > 0));
  });
  fc.assert(property, { numRuns: 300 });
});
