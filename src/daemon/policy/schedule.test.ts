import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError, KIB, MIB } from '../../units/index.ts';
import { parseScheduleLine, ratesAt, type WallTime } from './schedule.ts';

const USUAL = { upload: Infinity, download: 5 * MIB };

/** Limits by lines at `thu 09:30`. */
function at(time: string, ...lines: readonly string[]) {
  return ratesAt(lines.map(parseScheduleLine), USUAL, wall(time));
}

function wall(time: string): WallTime {
  const [day = '', clock = ''] = time.split(' ');
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  const weekday = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].indexOf(day);
  return { weekday, minute: hours * 60 + minutes };
}

test('a line rules on its days from its first minute until before its last', () => {
  const office = 'mon-fri 08:00-18:00 down=1M up=256K';
  const limited = { upload: 256 * KIB, download: MIB };
  assert.deepEqual(at('mon 08:00', office), limited);
  assert.deepEqual(at('fri 17:59', office), limited);
  for (const time of ['mon 07:59', 'fri 18:00', 'sat 12:00', 'sun 12:00']) {
    assert.deepEqual(at(time, office), USUAL, time);
  }
});

test('a window over midnight belongs to the day it begins on', () => {
  const night = 'fri 22:00-06:00 up=unlimited down=2M';
  for (const time of ['fri 22:00', 'fri 23:59', 'sat 00:00', 'sat 05:59']) {
    assert.equal(at(time, night).download, 2 * MIB, time);
  }
  for (const time of ['fri 05:00', 'fri 21:59', 'sat 06:00', 'sat 22:00']) {
    assert.equal(at(time, night).download, 5 * MIB, time);
  }
});

test('the first line that holds rules; a direction it does not name is as usual', () => {
  const lines = ['wed 12:00-13:00 down=pause', 'mon-fri up=1M down=100K'];
  assert.deepEqual(at('wed 12:30', ...lines), { upload: Infinity, download: 0 });
  assert.deepEqual(at('wed 13:00', ...lines), { upload: MIB, download: 100 * KIB });
});

test('days are listed, run over the end of the week, or are left out', () => {
  assert.equal(at('mon 00:00', 'fri-mon up=pause').upload, 0);
  assert.equal(at('sun 23:59', 'fri-mon up=pause').upload, 0);
  assert.equal(at('tue 00:00', 'fri-mon up=pause').upload, Infinity);
  assert.equal(at('sun 10:00', 'sat,sun up=pause').upload, 0);
  assert.equal(at('tue 10:00', '9:30-24:00 up=pause').upload, 0);
  assert.equal(at('tue 23:59', '09:30-00:00 up=pause').upload, 0);
  assert.equal(at('wed 00:00', '09:30-00:00 up=pause').upload, Infinity);
});

for (const [line, problem] of [
  ['', /has '' where days belong/],
  ['mon', /no rate/],
  ['down=1M', /neither days nor hours/],
  ['moon 08:00-09:00 up=1M', /'moon' where days belong/],
  ['mon- up=1M', /'mon-' where days belong/],
  ['mon-tue-wed up=1M', /where days belong/],
  ['mon tue up=1M', /'tue' beside its days/],
  ['mon 8-9 up=1M', /'8-9' where hours belong/],
  ['mon 08:60-09:00 up=1M', /where hours belong/],
  ['mon 24:00-01:00 up=1M', /where hours belong/],
  ['mon 08:00-24:01 up=1M', /where hours belong/],
  ['mon 08:00-08:00 up=1M', /where hours belong/],
  ['mon 01:00-02:00 03:00-04:00 up=1M', /two windows/],
  ['mon up=fast', /'fast' for a rate/],
  ['mon up=0', /'0' for a rate/],
  ['mon up=1M up=2M', /up twice/],
] as const) {
  test(`'${line}' is refused in one plain line`, () => {
    const isRefused = (failure: unknown): boolean =>
      failure instanceof AppError &&
      failure.code === 'DAEMON_SCHEDULE_INVALID' &&
      problem.test(failure.message);
    assert.throws(() => parseScheduleLine(line), isRefused);
  });
}

const days = fc.constantFrom('mon', 'tue-thu', 'sat,sun', 'fri-mon', '');
const clock = fc.nat(1439).map((m) => `${Math.floor(m / 60)}:${`${m % 60}`.padStart(2, '0')}`);
const line = fc
  .tuple(days, clock, clock)
  .filter(([, from, until]) => from !== until)
  .map(([on, from, until]) => `${on} ${from}-${until} up=1M`);

test('any line holds for as many minutes of a week as its days and hours say', () => {
  const property = fc.property(line, (text) => {
    const parsed = parseScheduleLine(text);
    const { fromMinute, untilMinute } = parsed;
    let minutes = 0;
    for (let weekday = 0; weekday < 7; weekday++) {
      for (let minute = 0; minute < 1440; minute++) {
        if (ratesAt([parsed], USUAL, { weekday, minute }).upload === MIB) minutes++;
      }
    }
    const length = (untilMinute - fromMinute + 1440) % 1440 || 1440;
    assert.equal(minutes, parsed.days.filter(Boolean).length * length);
  });
  fc.assert(property, { numRuns: 100 });
});

test('arbitrary text is a line, or is refused as one', () => {
  const word = fc.constantFrom('mon', 'up=1M', 'down=pause', '08:00-09:00', '-', 'x', '25:00-1:0');
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join(' ')),
  );
  const property = fc.property(text, (any) => {
    try {
      parseScheduleLine(any);
    } catch (failure) {
      assert.equal((failure as AppError).code, 'DAEMON_SCHEDULE_INVALID');
    }
  });
  fc.assert(property, { numRuns: 1_000 });
});
