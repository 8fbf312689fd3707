import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes, GIB, KIB, MIB, toHex, unixSeconds } from '../../units/index.ts';
import { encodeMetainfo, type TorrentExtras, type TorrentHashes, wrapInfoDict } from './create.ts';
import { parseInfoDict } from './info-dict.ts';
import { type FileTree, fileTree, hashBlocks } from './merkle.ts';
import { parseMetainfo } from './parse.ts';
import { choosePieceLength } from './piece-length.ts';
import { planTorrent, type SourceFile, type TorrentPlan, type TorrentVersion } from './plan.ts';
import { digests, pathsOf } from './testing/torrents.ts';

const refused = { name: 'WireError', code: 'WIRE_METAINFO' };

function file(path: string, lengthBytes: number): SourceFile {
  return { path: path === '' ? [] : path.split('/'), lengthBytes: bytes(lengthBytes) };
}

function plan(
  version: TorrentVersion,
  files: readonly SourceFile[],
  pieceLengthBytes: number = 16 * KIB,
): TorrentPlan {
  return planTorrent({ name: 'test', version, files, pieceLengthBytes });
}

/** Hashes of a piece space in which every byte of every file is zero. */
function hashZeros(planned: TorrentPlan): TorrentHashes {
  const { pieceLengthBytes, pieceCount, totalBytes } = planned;
  const pieceHashesV1 = new Uint8Array(pieceCount * 20);
  for (let piece = 0; piece < pieceCount; piece++) {
    const length = Math.min(pieceLengthBytes, totalBytes - piece * pieceLengthBytes);
    pieceHashesV1.set(digests.sha1(new Uint8Array(length)), piece * 20);
  }
  const trees = planned.files.map(({ isPad, lengthBytes }): FileTree | null =>
    isPad || lengthBytes === 0
      ? null
      : fileTree(
          hashBlocks(new Uint8Array(lengthBytes), digests.sha256),
          pieceLengthBytes,
          digests.sha256,
        ),
  );
  return { pieceHashesV1, trees };
}

function make(planned: TorrentPlan, extras: TorrentExtras = {}): ReturnType<typeof parseMetainfo> {
  return parseMetainfo(encodeMetainfo(planned, hashZeros(planned), extras), digests);
}

test('test64K of libtorrent has the root it has there, as v2 and as hybrid', () => {
  for (const version of ['v2', 'hybrid'] as const) {
    const planned = planTorrent({
      name: 'test64K',
      version,
      files: [file('', 64 * KIB)],
      pieceLengthBytes: 64 * KIB,
    });
    const [only] = make(planned).files;
    assert.equal(
      toHex(only?.piecesRoot ?? new Uint8Array()),
      '60aae9c7b428f87e0713e88229e18f0adf12cd7b22a0dd8a92bb2485eb7af242',
    );
  }
});

test('v1 keeps the order of its files and pads nothing', () => {
  const planned = plan('v1', [file('b', 10), file('a', 20)]);
  assert.deepEqual(pathsOf(planned), ['test/b', 'test/a']);
  assert.equal(planned.pieceCount, 1);
  assert.equal(make(planned).infoHashV2, null);
});

test('v2 sorts its files as raw bytes, element by element', () => {
  const planned = plan('v2', [
    file('b', 16384),
    file('é', 16384),
    file('a.b', 16384),
    file('a/z', 16384),
  ]);
  assert.deepEqual(pathsOf(planned), ['test/a/z', 'test/a.b', 'test/b', 'test/é']);
  assert.deepEqual(pathsOf(make(planned)), pathsOf(planned));
});

test('a hybrid pads every file but the last, and names both hashes', () => {
  const planned = plan('hybrid', [file('b', 20), file('a', 10), file('c', 0)]);
  assert.deepEqual(pathsOf(planned), ['test/a', 'test/.pad/16374', 'test/b', 'test/c']);
  const torrent = make(planned);
  assert.ok(torrent.infoHashV1 !== null && torrent.infoHashV2 !== null);
  assert.deepEqual(pathsOf(torrent), pathsOf(planned));
});

test('a file longer than a piece brings its layer', () => {
  const planned = plan('v2', [file('a', 50_000), file('b', 100)]);
  const torrent = make(planned);
  const root = torrent.files[0]?.piecesRoot;
  assert.ok(root);
  assert.equal(torrent.pieceLayers.size, 1);
  assert.equal(torrent.pieceLayers.get(toHex(root))?.length, 4 * 32);
});

test('everything said beside the files is read back', () => {
  const extras = {
    trackers: [['http://a/', 'http://b/'], ['udp://c:1']],
    webSeeds: ['http://w/'],
    nodes: [{ host: 'router', port: 6881 }],
    isPrivate: true,
    comment: 'ünï',
    createdBy: 'us',
    creationDate: unixSeconds(1234567),
  };
  const torrent = make(plan('v1', [file('a', 5)]), extras);
  for (const [key, value] of Object.entries(extras)) {
    assert.deepEqual(Reflect.get(torrent, key), value, key);
  }
});

test('a single tracker needs no list', () => {
  const torrent = make(plan('v1', [file('a', 5)]), { trackers: [['http://a/']] });
  assert.deepEqual(torrent.trackers, [['http://a/']]);
});

test('executable files stay executable', () => {
  const torrent = make(plan('hybrid', [{ ...file('run', 5), isExecutable: true }, file('x', 5)]));
  assert.deepEqual(
    torrent.files.map((each) => each.isExecutable),
    [true, false, false],
  );
});

test('what no reader would accept is refused before anything is hashed', () => {
  assert.throws(() => plan('v1', []), refused);
  assert.throws(() => plan('v1', [file('a', 0)]), refused);
  assert.throws(() => plan('v1', [file('a\\b', 5)]), refused);
  assert.throws(() => plan('v1', [file('..', 5)]), refused);
  assert.throws(() => plan('v1', [file('a', 5), file('A', 5)]), refused);
  assert.throws(() => plan('v1', [file('a', 5), file('a/b', 5)]), refused);
  assert.throws(() => plan('v1', [file('', 5), file('a', 5)]), refused);
  assert.throws(() => plan('v1', [file('a', 5)], 16 * KIB + 1), refused);
  assert.throws(() => plan('v1', [file('a', 5)], 8 * KIB), refused);
  assert.throws(() => plan('v1', [file('a', 2 ** 40)], 16 * KIB), refused);
  assert.throws(() => plan('v2', [file('a', 5)]), refused);
});

test('an info dictionary from peers makes the same torrent again', () => {
  const extras = { trackers: [['http://a/']] };
  const torrent = make(plan('hybrid', [file('a', 50_000), file('b', 100)]), extras);
  const fromPeers = parseInfoDict(torrent.infoBytes.slice(), digests);
  const again = parseMetainfo(wrapInfoDict(fromPeers, torrent.pieceLayers, extras), digests);
  assert.deepEqual(again, torrent);
});

test('pieces grow with the torrent, from 16 KiB to 16 MiB', () => {
  assert.equal(choosePieceLength(bytes(1)), 16 * KIB);
  assert.equal(choosePieceLength(bytes(32 * MIB)), 16 * KIB);
  assert.equal(choosePieceLength(bytes(32 * MIB + 1)), 32 * KIB);
  assert.equal(choosePieceLength(bytes(GIB)), 512 * KIB);
  assert.equal(choosePieceLength(bytes(10_000 * GIB)), 16 * MIB);
});

test('any plan is read back as planned, in every version', () => {
  const name = fc.constantFrom('a', 'b', 'c d', 'é', '.x', 'long name.tar.gz', '0');
  const source = fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }),
    lengthBytes: fc.nat(70_000).map(bytes),
  });
  const version = fc.constantFrom('v1' as const, 'v2' as const, 'hybrid' as const);
  const property = fc.property(version, fc.array(source, { maxLength: 5 }), (kind, files) => {
    const isPlannable = files.some((each) => each.lengthBytes > 0);
    const joined = files.map((each) => `${each.path.join('/')}/`);
    const isClear = joined.every((path, at) =>
      joined.every((other, index) => index === at || !other.startsWith(path)),
    );
    fc.pre(isPlannable && isClear && !(kind === 'v2' && files.length === 1));
    const planned = plan(kind, files, 32 * KIB);
    const torrent = make(planned);
    const strip = (each: (typeof planned.files)[number]) => ({ ...each, piecesRoot: null });
    assert.deepEqual(torrent.files.map(strip), planned.files.map(strip));
    assert.equal(torrent.pieceCount, planned.pieceCount);
    assert.equal(torrent.name, 'test');
  });
  fc.assert(property, { numRuns: 100 });
});
