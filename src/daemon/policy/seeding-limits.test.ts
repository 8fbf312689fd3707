import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endOfSeeding, ratioOf, SEEDED_FOR_EVER, type SeedingTotals } from './seeding-limits.ts';

const FRESH: SeedingTotals = {
  sentBytes: 0,
  receivedBytes: 0,
  haveBytes: 1000,
  seedSeconds: 0,
  idleSeconds: 0,
};

test('a download of 1000 bytes has a ratio of 2 when 2000 were sent', () => {
  assert.equal(ratioOf({ sentBytes: 2000, receivedBytes: 1000, haveBytes: 1000 }), 2);
});

test('what was here when it was added counts as downloaded', () => {
  assert.equal(ratioOf({ sentBytes: 1000, receivedBytes: 0, haveBytes: 1000 }), 1);
  assert.equal(ratioOf({ sentBytes: 1000, receivedBytes: 10, haveBytes: 1000 }), 1);
});

test('what had to be downloaded twice counts twice', () => {
  assert.equal(ratioOf({ sentBytes: 1000, receivedBytes: 2000, haveBytes: 1000 }), 0.5);
});

test('an empty torrent has no ratio to reach', () => {
  const limits = { ...SEEDED_FOR_EVER, ratio: 0.1 };
  assert.equal(endOfSeeding(limits, { ...FRESH, haveBytes: 0 }), null);
});

test('each limit ends the seeding with its reason, the moment it is reached', () => {
  const limits = { ratio: 1.5, seedSeconds: 7200, idleSeconds: 90 };
  assert.equal(endOfSeeding(limits, FRESH), null);
  const ends = [
    { ...FRESH, sentBytes: 1500 },
    { ...FRESH, seedSeconds: 7200 },
    { ...FRESH, idleSeconds: 90 },
  ].map((totals) => endOfSeeding(limits, totals));
  assert.deepEqual(ends, [
    { reason: 'ratio', line: 'the share ratio of 1.5 is reached' },
    { reason: 'seed-time', line: 'it was seeded for 2 h' },
    { reason: 'idle-time', line: 'nobody took anything for 1 min 30 s' },
  ]);
});

test('without limits nothing ends, and what has ended never begins again', () => {
  const totals = fc.record({
    sentBytes: fc.nat(),
    receivedBytes: fc.nat(),
    haveBytes: fc.nat(),
    seedSeconds: fc.nat(),
    idleSeconds: fc.nat(),
  });
  const limit = fc.option(fc.integer({ min: 1, max: 1000 }));
  const limits = fc.record({ ratio: limit, seedSeconds: limit, idleSeconds: limit });
  const more = fc.nat();
  const property = fc.property(limits, totals, more, (asked, before, moreSent) => {
    assert.equal(endOfSeeding(SEEDED_FOR_EVER, before), null);
    const later = { ...before, sentBytes: before.sentBytes + moreSent };
    if (endOfSeeding(asked, before)) assert.ok(endOfSeeding(asked, later));
  });
  fc.assert(property, { numRuns: 500 });
});
