import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../units/index.ts';
import { chooseRunning, type QueueEntry, SlowWatch } from './queue.ts';
import { type QueueMove, QueueOrder } from './queue-order.ts';

const LIMITS = { downloadsMax: 3, seedsMax: 2 };

function download(key: string, facts: Partial<QueueEntry> = {}): QueueEntry {
  return { key, isSeed: false, isRunning: false, isSlow: false, ...facts };
}

function seed(key: string, facts: Partial<QueueEntry> = {}): QueueEntry {
  return { ...download(key, facts), isSeed: true };
}

test('the first of the queue work, the others wait', () => {
  const entries = ['a', 'b', 'c', 'd', 'e'].map((key) => download(key));
  assert.deepEqual([...chooseRunning(entries, LIMITS)], ['a', 'b', 'c']);
});

test('downloads and seeds have places of their own', () => {
  const entries = [seed('s'), seed('t'), seed('u'), download('a')];
  assert.deepEqual([...chooseRunning(entries, LIMITS)], ['s', 't', 'a']);
});

test('one at work that hardly moves anything takes no place', () => {
  const slow = { isRunning: true, isSlow: true };
  const entries = [
    download('a', slow),
    download('b', slow),
    ...'cdef'.split('').map((key) => download(key)),
  ];
  assert.deepEqual([...chooseRunning(entries, LIMITS)], ['a', 'b', 'c', 'd', 'e']);
});

test('one that waits is not slow: it needs a place to begin', () => {
  const entries = 'abcd'.split('').map((key) => download(key, { isSlow: true }));
  assert.deepEqual([...chooseRunning(entries, LIMITS)], ['a', 'b', 'c']);
});

test('one that stands further up takes the place of one at work', () => {
  const busy = { isRunning: true };
  const entries = [download('new'), download('a', busy), download('b', busy), download('c', busy)];
  assert.deepEqual([...chooseRunning(entries, LIMITS)], ['new', 'a', 'b']);
});

test('ten thousand seeds that nobody asks for all stay ready', () => {
  const idle = { isRunning: true, isSlow: true };
  const entries = Array.from({ length: 10_000 }, (_, nth) => seed(`${nth}`, idle));
  assert.equal(chooseRunning(entries, LIMITS).size, 10_000);
});

test('never more fast torrents than places, and nobody waits beside a free one', () => {
  const entry = fc.record({
    isSeed: fc.boolean(),
    isRunning: fc.boolean(),
    isSlow: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(entry), fc.nat(5), fc.nat(5), (facts, downloadsMax, seedsMax) => {
      const entries = facts.map((fact, nth) => ({ ...fact, key: `${nth}` }));
      const chosen = chooseRunning(entries, { downloadsMax, seedsMax });
      for (const isSeed of [false, true]) {
        const mine = entries.filter((one) => one.isSeed === isSeed);
        const counted = mine.filter((one) => chosen.has(one.key) && !(one.isRunning && one.isSlow));
        const most = isSeed ? seedsMax : downloadsMax;
        assert.ok(counted.length <= most);
        if (counted.length < most) assert.ok(mine.every((one) => chosen.has(one.key)));
      }
    }),
  );
});

test('a torrent is slow after a minute below 2 KiB/s, and has a minute to begin', () => {
  const watch = new SlowWatch();
  watch.start('a', instant(0));
  assert.equal(watch.isSlow('a', instant(60_000)), false);
  watch.observe('a', 2047, instant(50_000));
  assert.equal(watch.isSlow('a', instant(60_001)), true);
  watch.observe('a', 2048, instant(61_000));
  assert.equal(watch.isSlow('a', instant(121_000)), false);
  assert.equal(watch.isSlow('a', instant(121_001)), true);
});

test('one that was never seen to start is slow at once', () => {
  const watch = new SlowWatch();
  assert.equal(watch.isSlow('a', instant(5)), true);
  watch.start('a', instant(5));
  watch.forget('a');
  assert.equal(watch.isSlow('a', instant(5)), true);
});

interface Item {
  readonly name: string;
  position: number;
}

/** The order of five after a move of `chosen`, and who changed. */
function moved(chosen: string, where: QueueMove): { order: string; changed: string } {
  const items = 'abcde'.split('').map((name, nth): Item => ({ name, position: nth * 10 }));
  const order = new QueueOrder(items);
  const mine = new Set(items.filter(({ name }) => chosen.includes(name)));
  const changed = order.move(mine, where).map(({ name }) => name);
  return { order: [...order].map(({ name }) => name).join(''), changed: changed.sort().join('') };
}

test('torrents move up and down by one, to the top and to the bottom', () => {
  assert.deepEqual(moved('c', 'up'), { order: 'acbde', changed: 'bc' });
  assert.deepEqual(moved('c', 'down'), { order: 'abdce', changed: 'cd' });
  assert.deepEqual(moved('c', 'top'), { order: 'cabde', changed: 'c' });
  assert.deepEqual(moved('c', 'bottom'), { order: 'abdec', changed: 'c' });
});

test('several keep their order, and those at the end stay there', () => {
  assert.equal(moved('bd', 'top').order, 'bdace');
  assert.equal(moved('bd', 'bottom').order, 'acebd');
  assert.equal(moved('bc', 'up').order, 'bcade');
  assert.equal(moved('cd', 'down').order, 'abecd');
  assert.deepEqual(moved('ab', 'up'), { order: 'abcde', changed: '' });
  assert.deepEqual(moved('de', 'down'), { order: 'abcde', changed: '' });
});
