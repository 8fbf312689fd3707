import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, instant, seededRandom } from '../units/index.ts';
import { PieceGeometry } from './content.ts';
import { PiecePicker } from './piece-picker.ts';
import { Selection } from './selection.ts';
import { SlabPool } from './slab-pool.ts';
import type { Taker } from './taker.ts';
import { testTaker } from './testing/test-taker.ts';
import type { Deadline } from './time-critical.ts';

const BLOCK = 16384;
const FAST = 1e7;

/** Eight pieces of four blocks, fetched from `takers`. */
function pickerFor(takers: readonly Taker[], levels: Uint8Array | null = null): PiecePicker {
  const geometry = new PieceGeometry({ pieceLengthBytes: 4 * BLOCK, totalBytes: 32 * BLOCK });
  const selection = new Selection(geometry, new Bitfield(8), levels);
  return new PiecePicker(geometry, selection, {
    slabs: new SlabPool(),
    random: seededRandom(1),
    takers: () => takers,
  });
}

function due(...list: readonly (readonly [piece: number, atMs: number])[]): readonly Deadline[] {
  return list.map(([piece, atMs]) => ({ piece, at: instant(atMs) }));
}

function picked(picker: PiecePicker, taker: Taker, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => picker.pick(taker)?.piece.index);
}

test('what is due comes first, soonest first, whatever was begun before', () => {
  const one = testTaker({ peerKey: 1, receiveRate: FAST });
  const picker = pickerFor([one]);
  const [begun = 0] = picked(picker, one, 1);
  const [first, second] = [(begun + 3) % 8, (begun + 1) % 8];
  picker.setDeadlines(due([second, 3000], [first, 2000], [second, 9000]), instant(0));
  picker.review(instant(1000));
  assert.deepEqual(picked(picker, one, 4), Array(4).fill(first));
  assert.deepEqual(picked(picker, one, 4), Array(4).fill(second));
  assert.deepEqual(picked(picker, one, 1), [begun]);
});

test('a peer that would be late leaves a piece to one that is much faster', () => {
  const fast = testTaker({ peerKey: 1, receiveRate: FAST });
  const slow = testTaker({ peerKey: 2, receiveRate: 1000 });
  const picker = pickerFor([fast, slow]);
  picker.setDeadlines(due([5, 2000], [3, 60_000]), instant(0));
  picker.review(instant(1000));
  assert.deepEqual(picked(picker, slow, 2), [3, 3]);
  assert.deepEqual(picked(picker, fast, 1), [5]);
});

test('a slow peer that alone has a piece is asked for it', () => {
  const fast = testTaker({ peerKey: 1, receiveRate: FAST, canTake: (piece) => piece !== 5 });
  const slow = testTaker({ peerKey: 2, receiveRate: 1000 });
  const picker = pickerFor([fast, slow]);
  picker.setDeadlines(due([5, 2000]), instant(0));
  picker.review(instant(1000));
  assert.deepEqual(picked(picker, slow, 1), [5]);
});

test('a block that will be late is asked of a faster peer, of three in all', () => {
  const speeds = [1000, 10_000, 100_000, 1_000_000];
  const takers = speeds.map((receiveRate, nth) => testTaker({ peerKey: nth + 1, receiveRate }));
  const [first, ...others] = takers as [Taker, ...Taker[]];
  const alone = [first];
  const picker = pickerFor(alone);
  picker.setDeadlines(due([5, 2000]), instant(0));
  picker.review(instant(1000));
  assert.deepEqual(picked(picker, first, 4), [5, 5, 5, 5]);
  alone.push(...others);
  const counts = others.map((taker, nth) => {
    picker.review(instant(1200 + nth * 200));
    return picked(picker, taker, 8).filter((piece) => piece === 5).length;
  });
  assert.deepEqual(counts, [4, 4, 0]);
});

test('a block that comes in time is asked of nobody else', () => {
  const first = testTaker({ peerKey: 1, receiveRate: 100_000 });
  const second = testTaker({ peerKey: 2, receiveRate: FAST });
  const picker = pickerFor([first, second]);
  picker.setDeadlines(due([5, 2000]), instant(0));
  picker.review(instant(1000));
  picked(picker, first, 4);
  picker.review(instant(1200));
  assert.ok(picked(picker, second, 8).every((piece) => piece !== 5));
});

test('a peer that stops in the middle of an urgent block lets go of it when another can', () => {
  let isFree = false;
  const stuck = testTaker({
    peerKey: 1,
    isStalled: () => true,
    arrivingPiece: 5,
    giveUpArrival: () => {
      isFree = true;
    },
  });
  const takers = [stuck];
  const picker = pickerFor(takers);
  picker.setDeadlines(due([5, 2000]), instant(0));
  picker.review(instant(1000));
  assert.equal(isFree, false);
  takers.push(testTaker({ peerKey: 2, receiveRate: FAST }));
  picker.review(instant(1200));
  assert.equal(isFree, true);
});

test('a piece that is not wanted is not made urgent', () => {
  const one = testTaker({ peerKey: 1, receiveRate: FAST });
  const picker = pickerFor([one], Uint8Array.from([4, 4, 4, 4, 4, 0, 4, 4]));
  picker.setDeadlines(due([5, 2000]), instant(0));
  assert.equal(picker.isUrgent, false);
  assert.ok(picked(picker, one, 40).every((piece) => piece !== 5));
});

test('a higher priority is begun before a lower one is taken up again', () => {
  const one = testTaker({ peerKey: 1, receiveRate: FAST });
  const levels = new Uint8Array(8).fill(4);
  const geometry = new PieceGeometry({ pieceLengthBytes: 4 * BLOCK, totalBytes: 32 * BLOCK });
  const selection = new Selection(geometry, new Bitfield(8), levels);
  const deps = { slabs: new SlabPool(), random: seededRandom(1) };
  const picker = new PiecePicker(geometry, selection, deps);
  const begun = picker.pick(one)?.piece.index;
  const better = begun === 3 ? 2 : 3;
  levels[better] = 7;
  selection.replace(levels);
  picker.prioritise([one]);
  assert.deepEqual(picked(picker, one, 5), [better, better, better, better, begun]);
});

test('the memory of a piece that is not wanted any more is given back once nothing comes', () => {
  const one = testTaker({ peerKey: 1, receiveRate: FAST });
  const levels = new Uint8Array(8).fill(4);
  const geometry = new PieceGeometry({ pieceLengthBytes: 4 * BLOCK, totalBytes: 32 * BLOCK });
  const selection = new Selection(geometry, new Bitfield(8), levels);
  const deps = { slabs: new SlabPool(), random: seededRandom(1) };
  const picker = new PiecePicker(geometry, selection, deps);
  const pick = picker.pick(one);
  assert.ok(pick);
  selection.replace(new Uint8Array(8));
  picker.prioritise([one]);
  assert.equal(picker.partials.size, 1);
  assert.equal(picker.pick(one), null);
  pick.piece.release(pick.block);
  picker.dropUnwanted();
  assert.equal(picker.partials.size, 0);
});
