import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, instant, seededRandom } from '../units/index.ts';
import { PieceGeometry } from './content.ts';
import { Outbox } from './outbox.ts';
import { PiecePicker } from './piece-picker.ts';
import type { Connection } from './ports.ts';
import { type RequestContext, RequestQueue } from './request-queue.ts';
import { Selection } from './selection.ts';
import { SlabPool } from './slab-pool.ts';
import type { Taker } from './taker.ts';
import { testTaker } from './testing/test-taker.ts';

const BLOCK = 16384;
const PIECES = 200;

/** A queue over a torrent of 200 pieces of 16 blocks, all of which the peer has. */
function asking(pieces = PIECES): {
  queue: RequestQueue;
  context: RequestContext;
  sent: () => number;
} {
  const pieceLengthBytes = 16 * BLOCK;
  const geometry = new PieceGeometry({ pieceLengthBytes, totalBytes: pieces * pieceLengthBytes });
  const deps = { slabs: new SlabPool(1e9), random: seededRandom(1) };
  const picker = new PiecePicker(geometry, new Selection(geometry, new Bitfield(pieces)), deps);
  const queue = new RequestQueue();
  let sentBytes = 0;
  const outbox = new Outbox({
    write: (parts: readonly Uint8Array[]) => {
      sentBytes += parts[0]?.length ?? 0;
    },
  } as Partial<Connection> as Connection);
  const taker = testTaker({
    peerKey: 1,
    isPending: (piece, block) => queue.isPending(geometry.blockKey(piece, block)),
  });
  const sent = (): number => {
    outbox.flush();
    return sentBytes / 17;
  };
  return { queue, context: { geometry, picker, taker, outbox, clock: () => instant(0) }, sent };
}

/** The peer delivers `count` of the blocks it was asked for. */
function deliver({ queue, context }: ReturnType<typeof asking>, count: number, now = 0): void {
  const { geometry } = context;
  let left = count;
  for (let key = 0; key < PIECES * 16 && left > 0; key++) {
    if (!queue.isPending(key)) continue;
    queue.startBlock(
      context,
      Math.floor(key / geometry.blocksPerPiece),
      key % geometry.blocksPerPiece,
    );
    queue.finishBlock(context, key, instant(now));
    left--;
  }
}

test('the pipeline begins with sixteen requests and grows with each block', () => {
  const at = asking();
  at.queue.fill(at.context, instant(0));
  assert.deepEqual([at.queue.size, at.sent()], [16, 16]);
  deliver(at, 10);
  at.queue.fill(at.context, instant(0));
  assert.deepEqual([at.queue.depth, at.queue.size], [26, 26]);
});

test('the depth follows two seconds of the rate once that stops growing, within bounds', () => {
  const { queue } = asking();
  for (const rate of [1e6, 1e6]) queue.sample(rate, instant(0));
  assert.equal(queue.depth, Math.ceil((2 * 1e6) / BLOCK));
  queue.sample(1e9, instant(0));
  assert.equal(queue.depth, 250);
  queue.limitDepth(1e6);
  queue.sample(1e9, instant(0));
  assert.equal(queue.depth, 512);
  queue.limitDepth(1);
  assert.equal(queue.depth, 1);
  queue.sample(0, instant(0));
  assert.equal(queue.depth, 1);
});

test('after twenty silent seconds a peer is snubbed, until a block comes', () => {
  const at = asking();
  at.queue.fill(at.context, instant(0));
  at.queue.sample(0, instant(20_000));
  assert.equal(at.queue.isSnubbed, false);
  at.queue.sample(0, instant(20_001));
  assert.deepEqual([at.queue.isSnubbed, at.queue.depth], [true, 1]);
  deliver(at, 1, 21_000);
  assert.equal(at.queue.isSnubbed, false);
});

// The block was asked of the same peer twice, and left as asked for when the peer went.
test('what a silent peer gave back and may have again is not asked of it twice', () => {
  const at = asking(1);
  at.queue.fill(at.context, instant(0));
  assert.equal(at.sent(), 16);
  at.queue.releaseAll(at.context);
  const other: Taker = { ...at.context.taker, peerKey: 2, isPending: () => false, current: null };
  deliver(at, 4, 1_000);
  at.queue.limitDepth(100);
  at.queue.fill(at.context, instant(1_000));
  assert.equal(at.sent(), 16);
  at.queue.close(at.context);
  let free = 0;
  while (at.context.picker.pick(other)) free++;
  assert.equal(free, 12);
});

test('a refused block is free for others at once', () => {
  const at = asking(1);
  at.queue.fill(at.context, instant(0));
  assert.equal(at.queue.reject(at.context, 0, 3), true);
  assert.equal(at.queue.reject(at.context, 0, 3), false);
  assert.equal(at.queue.reject(at.context, 0, 3.5), false);
  assert.equal(at.context.picker.partials.get(0)?.askNext(2), 3);
});

test('a choke without the fast extension voids every request', () => {
  const at = asking(1);
  at.queue.fill(at.context, instant(0));
  at.queue.voidAll(at.context);
  assert.equal(at.queue.size, 0);
  let free = 0;
  while ((at.context.picker.partials.get(0)?.askNext(2) ?? -1) >= 0) free++;
  assert.equal(free, 16);
});

test('blocks carry the tag of the time they were asked for', () => {
  const at = asking();
  at.queue.tag = 7;
  at.queue.fill(at.context, instant(0));
  at.queue.tag = 8;
  const key = Array.from({ length: PIECES * 16 }, (_, k) => k).find((k) => at.queue.isPending(k));
  assert.equal(at.queue.finishBlock(at.context, key ?? -1, instant(0)).tag, 7);
  assert.equal(at.queue.finishBlock(at.context, key ?? -1, instant(0)).tag, null);
});

test('a connection that breaks in the middle of a block leaves the block to others', () => {
  const at = asking(1);
  at.queue.fill(at.context, instant(0));
  assert.ok(at.queue.startBlock(at.context, 0, 0));
  at.queue.close(at.context);
  assert.equal(at.context.picker.partials.get(0)?.askNext(2), 0);
});
