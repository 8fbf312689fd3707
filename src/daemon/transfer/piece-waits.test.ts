import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield } from '../../units/index.ts';
import { PieceWaits } from './piece-waits.ts';

function haveOf(...pieces: readonly number[]): Bitfield {
  const have = new Bitfield(10);
  for (const piece of pieces) have.set(piece);
  return have;
}

test('deadlines are spread evenly over the time of a wait, and pieces that are here have none', () => {
  const waits = new PieceWaits();
  waits.begin(haveOf(3));
  void waits.add({ firstPiece: 2, lastPiece: 5 }, 1000, 2000);
  assert.deepEqual(waits.deadlines(), [
    { piece: 2, at: 1500 },
    { piece: 4, at: 2500 },
    { piece: 5, at: 3000 },
  ]);
});

test('a wait ends when the last of its pieces is here, in whatever order they come', async () => {
  const waits = new PieceWaits();
  const here = waits.add({ firstPiece: 2, lastPiece: 4 }, 0, 100);
  assert.deepEqual(waits.deadlines(), []);
  waits.begin(haveOf(3));
  let isHere = false;
  void here.then(() => {
    isHere = true;
  });
  waits.onPiece(4);
  waits.onPiece(9);
  await Promise.resolve();
  assert.equal(isHere, false);
  waits.onPiece(2);
  await here;
});

test('who waits for what is here already does not wait', async () => {
  const waits = new PieceWaits();
  waits.begin(haveOf(2, 3));
  await waits.add({ firstPiece: 2, lastPiece: 3 }, 0, 100);
});

test('forgetting ends the waits for exactly this range, and no others', async () => {
  const waits = new PieceWaits();
  waits.begin(haveOf());
  const one = waits.add({ firstPiece: 1, lastPiece: 2 }, 0, 100);
  const again = waits.add({ firstPiece: 1, lastPiece: 2 }, 0, 50);
  void waits.add({ firstPiece: 1, lastPiece: 3 }, 0, 300);
  waits.forget({ firstPiece: 1, lastPiece: 2 }, new Error('forgotten'));
  await assert.rejects(one, /forgotten/);
  await assert.rejects(again, /forgotten/);
  assert.deepEqual(
    waits.deadlines().map(({ piece }) => piece),
    [1, 2, 3],
  );
});

test('when the torrent ends, so do all waits, those to come too', async () => {
  const waits = new PieceWaits();
  const one = waits.add({ firstPiece: 1, lastPiece: 2 }, 0, 100);
  waits.end(new Error('stopped'));
  await assert.rejects(one, /stopped/);
  await assert.rejects(waits.add({ firstPiece: 1, lastPiece: 2 }, 0, 100), /stopped/);
});
