import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, KIB } from '../../units/index.ts';
import { encodeMetainfo } from './create.ts';
import { fileTree, hashBlocks } from './merkle.ts';
import type { Metainfo } from './metainfo.ts';
import { parseMetainfo } from './parse.ts';
import { fileIndexAt, pieceCheckV2, pieceHashV1, pieceLengthAt, pieceRoot } from './piece-space.ts';
import { planTorrent } from './plan.ts';
import { digests } from './testing/torrents.ts';

const PIECE = 32 * KIB;
const LENGTHS = { a: 70_000, b: 0, c: 5_000, d: 32_768 };

function contents(name: keyof typeof LENGTHS): Uint8Array {
  return new Uint8Array(LENGTHS[name]).fill(name.charCodeAt(0));
}

function makeHybrid(): Metainfo {
  const files = Object.entries(LENGTHS).map(([name, length]) => ({
    path: [name],
    lengthBytes: bytes(length),
  }));
  const plan = planTorrent({ name: 't', version: 'hybrid', files, pieceLengthBytes: PIECE });
  const trees = plan.files.map((file) => {
    const name = file.path[1] as keyof typeof LENGTHS;
    if (file.isPad || file.lengthBytes === 0) return null;
    return fileTree(hashBlocks(contents(name), digests.sha256), PIECE, digests.sha256);
  });
  const pieceHashesV1 = new Uint8Array(plan.pieceCount * 20).map((_, at) => Math.floor(at / 20));
  return parseMetainfo(encodeMetainfo(plan, { pieceHashesV1, trees }), digests);
}

test('every piece of a v2 torrent is checked by its own bytes alone', () => {
  const torrent = makeHybrid();
  const seen: string[] = [];
  for (let piece = 0; piece < torrent.pieceCount; piece++) {
    const check = pieceCheckV2(torrent, piece);
    assert.ok(check);
    const file = torrent.files[check.fileIndex];
    const name = file?.path[1] as keyof typeof LENGTHS;
    const into = piece * PIECE - (file?.offsetBytes ?? 0);
    const data = contents(name).subarray(into, into + check.dataBytes);
    assert.deepEqual(pieceRoot(data, check.width, digests.sha256), check.root);
    seen.push(`${name}:${check.dataBytes}`);
  }
  assert.deepEqual(seen, ['a:32768', 'a:32768', 'a:4464', 'c:5000', 'd:32768']);
});

test('without its layer a long file cannot be checked yet, a short one can', () => {
  const torrent = { ...makeHybrid(), pieceLayers: new Map() };
  assert.equal(pieceCheckV2(torrent, 0)?.root, null);
  assert.notEqual(pieceCheckV2(torrent, 3)?.root, null);
});

test('v1 pieces are as long as the piece space allows, and have their own hashes', () => {
  const torrent = makeHybrid();
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((piece) => pieceLengthAt(torrent, piece)),
    [PIECE, PIECE, PIECE, PIECE, PIECE],
  );
  assert.deepEqual(pieceHashV1(torrent, 3), new Uint8Array(20).fill(3));
  assert.equal(pieceLengthAt({ ...torrent, totalBytes: bytes(4 * PIECE + 1) }, 4), 1);
});

test('a byte belongs to the file that holds it, never to an empty one', () => {
  const { files } = makeHybrid();
  const nameAt = (offset: number) => files[fileIndexAt(files, offset)]?.path.at(-1);
  assert.equal(nameAt(0), 'a');
  assert.equal(nameAt(69_999), 'a');
  assert.equal(nameAt(70_000), '28304');
  assert.equal(nameAt(3 * PIECE), 'c');
  assert.equal(nameAt(5 * PIECE - 1), 'd');
});
