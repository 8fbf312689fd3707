import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TransferRates } from '../transfer/messages.ts';
import { parseScheduleLine } from './schedule.ts';
import { ScheduledLimits } from './scheduled-limits.ts';

const USUAL = { upload: Infinity, download: Infinity };
const HOUR_MS = 3_600_000;

/** A virtual clock in Berlin, and what the limits were changed to, at which local time. */
function scene(t: TestContext, startsAt: string, lines: readonly string[]) {
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin';
  t.after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: new Date(startsAt) });
  const changes: string[] = [];
  const target = {
    limit: async ({ upload }: TransferRates): Promise<void> => {
      changes.push(`${new Date().toTimeString().slice(0, 5)} up ${upload}`);
    },
  };
  const limits = new ScheduledLimits(target, { usual: USUAL, lines: lines.map(parseScheduleLine) });
  t.after(() => limits.stop());
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 60_000) t.mock.timers.tick(60_000);
  };
  return { limits, changes, pass };
}

test('limits change at the minute, and only when they change', (t) => {
  const { changes, pass } = scene(t, '2026-11-02T06:30:20Z', ['mon-fri 08:00-18:00 up=1M']);
  pass(48 * HOUR_MS);
  assert.deepEqual(changes, [
    '08:00 up 1048576',
    '18:00 up Infinity',
    '08:00 up 1048576',
    '18:00 up Infinity',
  ]);
});

test('an hour that summer time skips has no limits; those around it keep their hours', (t) => {
  // On 2026-03-29 in Berlin 02:00 is 03:00 at once.
  const { changes, pass } = scene(t, '2026-03-28T23:00:00Z', [
    '02:00-03:00 up=1K',
    '04:00-05:00 up=2K',
  ]);
  pass(12 * HOUR_MS);
  assert.deepEqual(changes, ['04:00 up 2048', '05:00 up Infinity']);
});

test('a window that begins in the skipped hour holds from where the clock goes on', (t) => {
  const { changes, pass } = scene(t, '2026-03-28T23:00:00Z', ['02:30-04:00 up=1K']);
  pass(12 * HOUR_MS);
  assert.deepEqual(changes, ['03:00 up 1024', '04:00 up Infinity']);
});

test('the hour that comes twice when summer time ends is limited twice', (t) => {
  // On 2026-10-25 in Berlin 03:00 is 02:00 again.
  const { changes, pass } = scene(t, '2026-10-24T22:00:00Z', ['02:00-02:30 up=1K']);
  pass(12 * HOUR_MS);
  assert.deepEqual(changes, [
    '02:00 up 1024',
    '02:30 up Infinity',
    '02:00 up 1024',
    '02:30 up Infinity',
  ]);
});

test('a changed schedule is in force at once, and without one nothing is watched', async (t) => {
  const { limits, changes, pass } = scene(t, '2026-11-02T12:00:00Z', []);
  pass(24 * HOUR_MS);
  assert.deepEqual(changes, []);
  await limits.change({ lines: [parseScheduleLine('12:00-14:00 up=pause')] });
  assert.deepEqual(changes, ['13:00 up 0']);
  assert.deepEqual(limits.current, { upload: 0, download: Infinity });
  pass(2 * HOUR_MS);
  await limits.change({ usual: { upload: 7, download: 7 } });
  assert.deepEqual(changes, ['13:00 up 0', '14:00 up Infinity', '15:00 up 7']);
});
