import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { BLOCK_BYTES } from '../units/index.ts';
import { fileTree, type HashRef, hashBlocks, MERKLE_HASH_BYTES } from '../wire/index.ts';
import { PieceGeometry } from './content.ts';
import { HashTree } from './hash-tree.ts';
import { HashTrees } from './hash-trees.ts';

const PIECE = 4 * BLOCK_BYTES;

/** A file's tree, and the hashes of its blocks. The content counts up. */
function treeOf(lengthBytes: number): { tree: HashTree; blocks: Uint8Array } {
  const bytes = new Uint8Array(lengthBytes).map((_, at) => at % 253);
  const blocks = hashBlocks(bytes, sha256);
  const { root, pieceLayer } = fileTree(blocks, PIECE, sha256);
  return {
    tree: new HashTree({ firstPiece: 0, lengthBytes, root, layer: pieceLayer }, PIECE, sha256),
    blocks,
  };
}

/** Lengths of files of up to 40 blocks, whole ones and odd ones. */
const lengths = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: BLOCK_BYTES - 1 }))
  .map(([blocks, less]) => blocks * BLOCK_BYTES - less);

test('every answer to a sound request proves itself, at any height', () => {
  const request = fc.tuple(lengths, fc.nat(6), fc.nat(5), fc.nat(63));
  fc.assert(
    fc.property(request, ([lengthBytes, layer, power, place]) => {
      const { tree, blocks } = treeOf(lengthBytes);
      const baseLayer = Math.min(layer, tree.height);
      const above = tree.height - baseLayer;
      const length = 2 ** Math.min(power, above);
      const index = length * (place % 2 ** (above - Math.log2(length)));
      const proofLayers = Math.max(0, above - 1);
      const ref: HashRef = { root: tree.file.root, baseLayer, index, length, proofLayers };
      assert.ok(tree.isSound(ref));
      const pieces = tree.piecesOf(ref);
      const size = MERKLE_HASH_BYTES * 2 ** tree.pieceLevel;
      // A request about nothing but padding names the last piece.
      fc.pre(!pieces || (pieces.first <= pieces.last && pieces.first < tree.pieceCount));
      const known = pieces && blocks.subarray(pieces.first * size, (pieces.last + 1) * size);
      const hashes = tree.answer(ref, known);
      assert.ok(hashes);
      const top = { node: tree.file.root, index: index / length };
      assert.ok(tree.proven({ ref, hashes }, top));
      const changed = hashes.map((byte, at) => (at === place % hashes.length ? byte ^ 1 : byte));
      assert.equal(tree.proven({ ref, hashes: changed }, top), null);
    }),
    { numRuns: 200 },
  );
});

test('a request beyond the tree is not sound', () => {
  const { tree } = treeOf(9 * BLOCK_BYTES);
  const ref = { root: tree.file.root, baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  assert.ok(tree.isSound(ref));
  for (const change of [
    { index: 16 },
    { index: 1 },
    { length: 0 },
    { length: 32 },
    { baseLayer: 5 },
    { proofLayers: 4 },
  ]) {
    assert.ok(!tree.isSound({ ...ref, ...change }), JSON.stringify(change));
  }
});

test('blocks that are not what the torrent says are not told', () => {
  const { tree, blocks } = treeOf(9 * BLOCK_BYTES);
  const ref = { root: tree.file.root, baseLayer: 0, index: 4, length: 4, proofLayers: 0 };
  const piece = blocks.slice(4 * MERKLE_HASH_BYTES, 8 * MERKLE_HASH_BYTES);
  assert.ok(tree.answer(ref, piece));
  assert.equal(tree.answer(ref, piece.fill(0)), null);
});

test('the piece of a short file is checked by its root, and a layer must lead there', () => {
  const { tree, blocks } = treeOf(3 * BLOCK_BYTES - 5);
  assert.ok(tree.isRight(0, blocks));
  assert.ok(!tree.isRight(0, blocks.toReversed()));
  const long = treeOf(9 * BLOCK_BYTES).tree;
  const trees = new HashTrees([{ ...long.file, layer: null }], PIECE, sha256);
  assert.deepEqual([trees.isKnown(0), trees.missing.length], [false, 1]);
  assert.ok(!trees.setLayer(long.file.root, new Uint8Array(96)));
  assert.ok(trees.setLayer(long.file.root, long.layer ?? new Uint8Array(0)));
  assert.deepEqual([trees.isKnown(2), trees.missing.length], [true, 0]);
});

test('in v2 the last piece of each file is short, and the padding can be read but is not data', () => {
  const root = new Uint8Array(32);
  const hashedFiles = [
    { firstPiece: 0, lengthBytes: PIECE + 100, root, layer: null },
    { firstPiece: 2, lengthBytes: 1, root, layer: null },
  ];
  const shape = { pieceLengthBytes: PIECE, totalBytes: 3 * PIECE, hashedFiles };
  const geometry = new PieceGeometry({ ...shape, pieceHashes: null });
  assert.deepEqual(
    [0, 1, 2].map((piece) => geometry.pieceLength(piece)),
    [PIECE, 100, 1],
  );
  assert.deepEqual([geometry.pieceCount, geometry.totalBytes], [3, PIECE + 101]);
  assert.ok(!geometry.isServable(1, 0, BLOCK_BYTES) && geometry.isReadable(1, 0, BLOCK_BYTES));
  assert.ok(!geometry.isReadable(1, PIECE - 1, 2));
  // A hybrid torrent is shared as v1 wants it: padding is data.
  const hybrid = new PieceGeometry({ ...shape, pieceHashes: new Uint8Array(60) });
  assert.deepEqual([hybrid.pieceLength(1), hybrid.totalBytes], [PIECE, 3 * PIECE]);
});
