import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, equalBytes, toHex } from '../../units/index.ts';
import {
  fileTree,
  hashBlocks,
  isProofFor,
  merklePad,
  merkleRoot,
  pieceLayerRoot,
} from './merkle.ts';

const KIB = 1024;

function sha256(view: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', view, 'buffer'));
}

/** The definition of BEP 52 word for word: leaves, zero leaves to a power of two, pairs. */
function naiveRoot(data: Uint8Array): Uint8Array {
  let nodes: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += 16 * KIB) {
    nodes.push(sha256(data.subarray(at, at + 16 * KIB)));
  }
  while (nodes.length & (nodes.length - 1)) nodes.push(new Uint8Array(32));
  while (nodes.length > 1) {
    nodes = nodes
      .filter((_, index) => index % 2 === 0)
      .map((left, index) => sha256(concatBytes(left, nodes[index * 2 + 1] ?? left)));
  }
  return nodes[0] ?? new Uint8Array(32);
}

test('64 KiB of zeros have the root that libtorrent gives test64K', () => {
  const tree = fileTree(hashBlocks(new Uint8Array(64 * KIB), sha256), 64 * KIB, sha256);
  assert.equal(
    toHex(tree.root),
    '60aae9c7b428f87e0713e88229e18f0adf12cd7b22a0dd8a92bb2485eb7af242',
  );
  assert.equal(tree.pieceLayer.length, 0);
});

test('1 MiB of zeros has the root of test1MB, over a layer of 16 pieces', () => {
  const tree = fileTree(hashBlocks(new Uint8Array(1024 * KIB), sha256), 64 * KIB, sha256);
  assert.equal(
    toHex(tree.root),
    '515ea9181744b817744ded9d2e8e9dc6a8450c0b0c52e24b5077f302ffbd9008',
  );
  assert.equal(tree.pieceLayer.length, 16 * 32);
  assert.deepEqual(pieceLayerRoot(tree.pieceLayer, 64 * KIB, sha256), tree.root);
});

test('one block is its own root', () => {
  const block = new Uint8Array([1, 2, 3]);
  assert.deepEqual(merkleRoot(hashBlocks(block, sha256), { level: 0 }, sha256), sha256(block));
});

test('a pad of height one hashes two zero leaves', () => {
  assert.deepEqual(merklePad(0, sha256), new Uint8Array(32));
  assert.deepEqual(merklePad(1, sha256), sha256(new Uint8Array(64)));
});

test('a tree by layers has the root of the definition, whatever the piece length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 * 16 * KIB }), fc.nat(3), (length, shift) => {
      const data = new Uint8Array(length).map((_, at) => at % 251);
      const pieceLengthBytes = (16 * KIB) << shift;
      const { root, pieceLayer } = fileTree(hashBlocks(data, sha256), pieceLengthBytes, sha256);
      assert.deepEqual(root, naiveRoot(data));
      if (length > pieceLengthBytes) {
        assert.equal(pieceLayer.length, Math.ceil(length / pieceLengthBytes) * 32);
        assert.deepEqual(pieceLayerRoot(pieceLayer, pieceLengthBytes, sha256), root);
      }
    }),
    { numRuns: 60 },
  );
});

test('a proof holds for its own place and no other', () => {
  const leaves = [1, 2, 3, 4].map((byte) => sha256(Uint8Array.of(byte)));
  const [a, b, c, d] = leaves;
  assert.ok(a && b && c && d);
  const root = merkleRoot(concatBytes(...leaves), { level: 0 }, sha256);
  const uncles = concatBytes(d, sha256(concatBytes(a, b)));
  assert.equal(isProofFor(root, { node: c, index: 2, uncles }, sha256), true);
  assert.equal(isProofFor(root, { node: c, index: 3, uncles }, sha256), false);
  assert.equal(isProofFor(root, { node: c, index: 6, uncles }, sha256), false);
  assert.equal(isProofFor(root, { node: a, index: 2, uncles }, sha256), false);
  assert.equal(isProofFor(root, { node: c, index: 2, uncles: d }, sha256), false);
  assert.equal(isProofFor(root, { node: c, index: 2, uncles: uncles.subarray(1) }, sha256), false);
  assert.ok(equalBytes(root, root));
});
