import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '@noble/hashes/legacy.js';
import fc from 'fast-check';
import { Bitfield, fromHex, seededRandom } from '../units/index.ts';
import { allowedFastSet } from './allowed-fast.ts';
import { AvailabilityOrder, pieceTable } from './availability.ts';
import { Blame } from './blame.ts';
import { PieceGeometry } from './content.ts';
import { PartialPiece } from './partial-piece.ts';
import { PiecePicker } from './piece-picker.ts';
import { Selection } from './selection.ts';
import { SlabPool } from './slab-pool.ts';
import type { Taker } from './taker.ts';
import { testTaker } from './testing/test-taker.ts';

const BLOCK = 16384;

test('the allowed-fast sets are those of the example in BEP 6', () => {
  const input = { host: '80.4.4.200', infoHash: fromHex('aa'.repeat(20)), pieceCount: 1313 };
  const seven = [1059, 431, 808, 1217, 287, 376, 1188];
  assert.deepEqual(allowedFastSet({ ...input, count: 7 }, sha1), seven);
  assert.deepEqual(allowedFastSet({ ...input, count: 9 }, sha1), [...seven, 353, 508]);
  assert.deepEqual(allowedFastSet({ ...input, host: '80.4.4.7', count: 7 }, sha1), seven);
});

test('an allowed-fast set has no more pieces than the torrent, and none for IPv6', () => {
  const input = { host: '80.4.4.200', infoHash: fromHex('aa'.repeat(20)), count: 10 };
  const all = allowedFastSet({ ...input, pieceCount: 4 }, sha1);
  assert.deepEqual([...all].sort(), [0, 1, 2, 3]);
  assert.deepEqual(allowedFastSet({ ...input, pieceCount: 0 }, sha1), []);
  assert.deepEqual(allowedFastSet({ ...input, host: '2001:db8::1', pieceCount: 9 }, sha1), []);
});

test('the order is by availability after any history, and every piece is where it says', () => {
  const step = fc.tuple(fc.constantFrom('increase', 'decrease', 'remove', 'add'), fc.nat(19));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(), (steps, seed) => {
      const random = seededRandom(seed);
      const order = new AvailabilityOrder(pieceTable(20), Array(20).keys(), random);
      const counts = new Array<number>(20).fill(0);
      const present = new Set(Array(20).keys());
      for (const [kind, piece] of steps) {
        if (kind === 'add') order.add(piece, random);
        else order[kind](piece);
        if (kind === 'increase') counts[piece] = (counts[piece] ?? 0) + 1;
        if (kind === 'decrease') counts[piece] = Math.max(0, (counts[piece] ?? 0) - 1);
        if (kind === 'add') present.add(piece);
        if (kind === 'remove') present.delete(piece);
      }
      const seen: number[] = [];
      order.first((piece) => {
        seen.push(piece);
        return false;
      });
      assert.deepEqual(
        [...seen].sort((a, b) => a - b),
        [...present].sort((a, b) => a - b),
      );
      assert.equal(order.size, present.size);
      const levels = seen.map((piece) => counts[piece] ?? 0);
      assert.deepEqual(
        levels,
        [...levels].sort((a, b) => a - b),
      );
      for (let piece = 0; piece < 20; piece++) {
        assert.equal(order.availabilityOf(piece), counts[piece]);
        assert.equal(order.has(piece), present.has(piece));
      }
    }),
    { numRuns: 500 },
  );
});

test('pieces of equal rarity come in a different order to different peers', () => {
  const orders = [1, 2, 3].map((seed) => {
    const seen: number[] = [];
    new AvailabilityOrder(pieceTable(30), Array(30).keys(), seededRandom(seed)).first((piece) => {
      seen.push(piece);
      return false;
    });
    return seen.join();
  });
  assert.equal(new Set(orders).size, 3);
});

test('a block is asked, given back, asked again, arrives and is done once', () => {
  const piece = new PartialPiece(0, new Uint8Array(2 * BLOCK + 5));
  assert.equal(piece.blockCount, 3);
  assert.deepEqual([piece.askNext(1), piece.askNext(1), piece.askNext(2)], [0, 1, 2]);
  assert.equal(piece.askNext(3), -1);
  assert.equal(piece.release(1), true);
  assert.equal(piece.askNext(3), 1);
  piece.askAgain(0, 3);
  assert.equal(piece.release(0), false);
  assert.equal(piece.startArrival(0), true);
  assert.equal(piece.startArrival(0), false);
  piece.abandonArrival(0);
  assert.equal(piece.askNext(4), 0);
  for (const block of [0, 1, 2]) {
    assert.equal(piece.startArrival(block), true);
    piece.finishArrival(block, block + 1);
    assert.equal(piece.startArrival(block), false);
    assert.equal(piece.release(block), false);
  }
  assert.ok(piece.isDone && piece.isIdle && !piece.hasFree);
  assert.deepEqual(
    [...piece.bytesByPeer()],
    [
      [1, BLOCK],
      [2, BLOCK],
      [3, 5],
    ],
  );
});

test('the last piece and the last block are as short as the torrent', () => {
  const geometry = new PieceGeometry({ pieceLengthBytes: 3 * BLOCK, totalBytes: 4 * BLOCK + 9 });
  assert.deepEqual([geometry.pieceCount, geometry.pieceLength(1)], [2, BLOCK + 9]);
  assert.deepEqual([geometry.blockCount(1), geometry.blockLength(1, 1)], [2, 9]);
  assert.ok(geometry.isServable(1, BLOCK, 9));
  assert.ok(!geometry.isServable(1, BLOCK, 10));
  assert.ok(!geometry.isServable(0, 0, BLOCK + 1));
  assert.ok(!geometry.isServable(0, 0, 0));
  assert.ok(!geometry.isServable(2, 0, 1));
  assert.ok(!geometry.isServable(0, 0xffffffff, 2));
});

/** A peer for the picker: what it has, how fast it is. */
function taker(peerKey: number, has: (piece: number) => boolean = () => true, rate = 0): Taker {
  return testTaker({ peerKey, canTake: has, receiveRate: rate });
}

function picker(pieces: number, slabs: SlabPool = new SlabPool()): PiecePicker {
  const geometry = new PieceGeometry({
    pieceLengthBytes: 4 * BLOCK,
    totalBytes: pieces * 4 * BLOCK,
  });
  const selection = new Selection(geometry, new Bitfield(pieces));
  return new PiecePicker(geometry, selection, { slabs, random: seededRandom(1) });
}

function pickMany(from: PiecePicker, who: Taker, count: number): number[] {
  const picked: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    const pick = from.pick(who);
    if (pick) picked.push(pick.piece.index);
  }
  return picked;
}

test('the rarest piece comes first', () => {
  const from = picker(5);
  for (const piece of [0, 1, 3, 4]) from.peerHas(piece);
  assert.equal(from.pick(taker(1))?.piece.index, 2);
});

test('fast peers fetch whole pieces of their own, slow ones help each other', () => {
  const fast = picker(8);
  const one = new Set(pickMany(fast, taker(1, undefined, 1e9), 4));
  const two = new Set(pickMany(fast, taker(2, undefined, 1e9), 4));
  assert.equal(one.size, 1);
  assert.notDeepEqual(one, two);
  const slow = picker(8);
  const [first] = pickMany(slow, taker(1, undefined, 1), 2);
  assert.deepEqual(pickMany(slow, taker(2, undefined, 1), 2), [first, first]);
});

test('a piece that its peer left is taken up before a new one is begun', () => {
  const from = picker(8);
  const gone = taker(1, undefined, 1e9);
  const [orphan] = pickMany(from, gone, 2);
  from.leave(gone);
  assert.deepEqual(pickMany(from, taker(2, undefined, 1e9), 2), [orphan, orphan]);
});

test('late blocks are asked of at most three peers', () => {
  const from = picker(1);
  assert.equal(pickMany(from, taker(1), 9).length, 4);
  for (const peerKey of [2, 3]) {
    for (let block = 0; block < 4; block++) assert.ok(from.pickDuplicate(taker(peerKey)));
  }
  assert.equal(from.pickDuplicate(taker(4)), null);
});

test('memory for pieces is bounded over all torrents, but each may always hold two', () => {
  const slabs = new SlabPool(3 * 4 * BLOCK);
  const [one, two] = [picker(8, slabs), picker(8, slabs)];
  assert.equal(new Set(pickMany(one, taker(1), 32)).size, 3);
  assert.equal(new Set(pickMany(two, taker(1), 32)).size, 2);
  one.abandon();
  two.abandon();
  assert.equal(new Set(pickMany(two, taker(2), 32)).size, 3);
});

test('a suspect piece is one peer’s alone, and begins anew when that peer leaves', () => {
  const from = picker(1);
  from.isolate(0);
  const first = taker(1);
  assert.equal(pickMany(from, first, 2).length, 2);
  assert.equal(from.pick(taker(2)), null);
  assert.equal(from.pickDuplicate(taker(2)), null);
  from.leave(first);
  assert.equal(pickMany(from, taker(2), 9).length, 4);
});

/** A piece of two blocks, given by two peers. */
function given(bytes: readonly [number, number], peers: readonly [number, number]): PartialPiece {
  const piece = new PartialPiece(5, new Uint8Array(2 * BLOCK));
  for (const block of [0, 1] as const) {
    piece.blockView(block).fill(bytes[block]);
    piece.askNext(peers[block]);
    piece.startArrival(block);
    piece.finishArrival(block, peers[block]);
  }
  return piece;
}

test('a single giver of a wrong piece is guilty at once', () => {
  const blame = new Blame(sha1);
  assert.deepEqual(blame.onFailed(given([1, 2], [7, 7])), [7]);
  assert.equal(blame.isSuspect(5), false);
});

test('of several givers the liar is found when the piece comes right', () => {
  const blame = new Blame(sha1);
  assert.deepEqual(blame.onFailed(given([1, 9], [7, 8])), []);
  assert.equal(blame.isSuspect(5), true);
  assert.deepEqual(blame.onGood(given([1, 2], [3, 3])), [8]);
  assert.equal(blame.isSuspect(5), false);
  assert.deepEqual(blame.onGood(given([1, 2], [3, 3])), []);
});

test('evidence is kept of the last 64 failed pieces', () => {
  const blame = new Blame(sha1);
  for (let index = 0; index < 100; index++) {
    const piece = new PartialPiece(index, new Uint8Array(2 * BLOCK));
    for (const block of [0, 1]) piece.finishArrival(block, block + 1);
    blame.onFailed(piece);
  }
  const kept = Array.from({ length: 100 }, (_, index) => blame.isSuspect(index));
  assert.deepEqual([kept.indexOf(true), kept.filter(Boolean).length], [36, 64]);
});
