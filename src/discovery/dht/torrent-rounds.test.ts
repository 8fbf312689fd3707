import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant, seededRandom } from '../../units/index.ts';
import { TorrentRounds } from './torrent-rounds.ts';

const HASH = new Uint8Array(20).fill(1);
const MINUTE = 60_000;

function rounds(): TorrentRounds {
  return new TorrentRounds(seededRandom(1));
}

/** When a torrent is due next after `from`, to a second. */
function nextDue(of: TorrentRounds, from: Instant): number {
  for (let at = from; ; at = instant(at + 1_000)) if (of.due(at).length > 0) return at - from;
}

test('a torrent is announced at once, and every 15 minutes while it finds peers', () => {
  const one = rounds();
  const key = one.add(HASH, instant(0));
  assert.deepEqual(one.due(instant(0)), [{ key, infoHash: HASH, nextAt: 120_000, fruitless: 0 }]);
  assert.deepEqual(one.due(instant(1_000)), [], 'under way');
  one.onDone(key, 3, instant(2_000));
  const pause = nextDue(one, instant(2_000));
  assert.ok(pause >= 13 * MINUTE && pause <= 17 * MINUTE, `${pause}`);
});

test('while nobody is found it is sooner: 5 s, doubling up to 15 minutes', () => {
  const one = rounds();
  const key = one.add(HASH, instant(0));
  let now = instant(0);
  one.due(now);
  for (const expected of [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]) {
    one.onDone(key, 0, now);
    const pause = nextDue(one, now);
    assert.ok(Math.abs(pause / 1000 - expected) <= expected * 0.1 + 1, `${pause} ms`);
    now = instant(now + pause);
  }
});

test('a round that never ends is begun again after two minutes', () => {
  const one = rounds();
  one.add(HASH, instant(0));
  one.due(instant(0));
  assert.equal(nextDue(one, instant(1)), 2 * MINUTE);
});

test('many torrents begin a few at a time, and adding one again changes nothing', () => {
  const one = rounds();
  for (let nth = 0; nth < 20; nth++) one.add(new Uint8Array(20).fill(nth), instant(0));
  assert.equal(one.due(instant(0)).length, 4);
  for (let nth = 0; nth < 20; nth++) one.add(new Uint8Array(20).fill(nth), instant(0));
  assert.equal(one.due(instant(0)).length, 4);
  for (let nth = 0; nth < 20; nth++) one.remove(new Uint8Array(20).fill(nth));
  assert.equal(one.due(instant(0)).length, 0);
});
