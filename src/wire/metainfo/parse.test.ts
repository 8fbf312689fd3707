import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, equalBytes, toHex } from '../../units/index.ts';
import { type Bencodable, encodeBencode, RawBencode } from '../bencode/encode.ts';
import { encodeUtf8 } from '../bencode/utf8.ts';
import { WireError } from '../wire-error.ts';
import { isNamedBy, parseInfoDict } from './info-dict.ts';
import { parseMetainfo } from './parse.ts';
import { digests, type Fields, pathsOf, ROOT, readTorrent, v1Of } from './testing/torrents.ts';

const refused = { name: 'WireError', code: 'WIRE_METAINFO' };

const SINGLE: Fields = {
  name: 'one.bin',
  length: 20000,
  'piece length': 16384,
  pieces: new Uint8Array(40),
};

function leaf(length: number, more: Fields = {}): Bencodable {
  return { '': { length, 'pieces root': length > 0 ? ROOT : undefined, ...more } };
}

function v2Of(tree: Fields, more: Fields = {}): Fields {
  return { name: 'test', 'meta version': 2, 'piece length': 16384, 'file tree': tree, ...more };
}

test('a single file is the torrent', () => {
  const torrent = readTorrent(SINGLE);
  assert.deepEqual(pathsOf(torrent), ['one.bin']);
  assert.equal(torrent.name, 'one.bin');
  assert.equal(torrent.totalBytes, 20000);
  assert.equal(torrent.pieceCount, 2);
  assert.equal(torrent.pieceHashesV1?.length, 40);
  assert.equal(torrent.infoHashV2, null);
});

test('the info-hash is that of the exact bytes, even of odd ones', () => {
  const info = encodeUtf8(
    `d6:lengthi05e12:piece lengthi16384e4:name1:x6:pieces20:${'-'.repeat(20)}e`,
  );
  const torrent = readTorrent(new RawBencode(info));
  assert.ok(torrent.infoHashV1);
  assert.deepEqual(torrent.infoHashV1, digests.sha1(info));
  assert.deepEqual(torrent.infoBytes, info);
  assert.deepEqual(parseInfoDict(info, digests).infoHashV1, torrent.infoHashV1);
  assert.ok(isNamedBy(torrent, digests.sha1(info)));
  assert.ok(!isNamedBy(torrent, digests.sha256(info)));
});

test('files follow each other in the piece space', () => {
  const { files } = readTorrent(v1Of('a', 'd/b', 'd/c'));
  assert.deepEqual(
    files.map((file) => [file.path.join('/'), file.offsetBytes, file.lengthBytes]),
    [
      ['test/a', 0, 16384],
      ['test/d/b', 16384, 16384],
      ['test/d/c', 32768, 16384],
    ],
  );
});

test('names in UTF-8 are preferred where both are given', () => {
  const torrent = readTorrent({ ...SINGLE, 'name.utf-8': 'größe', name: 'gr__e' });
  assert.equal(torrent.name, 'größe');
});

test('a directory without a usable name is named by its info-hash', () => {
  const torrent = readTorrent({ ...v1Of('a'), name: '/' });
  assert.ok(torrent.infoHashV1);
  assert.equal(torrent.name, toHex(torrent.infoHashV1));
});

test('a directory whose name is empty is an underscore', () => {
  assert.equal(readTorrent({ ...v1Of('a'), name: '' }).name, '_');
});

test('pieces may be as long as libtorrent 2.0.8 takes them', () => {
  const pieces = new Uint8Array(20);
  for (const length of [2 ** 29, 2 ** 30 - 1]) {
    const torrent = readTorrent({ ...SINGLE, 'piece length': length, pieces });
    assert.equal(torrent.pieceLengthBytes, length);
  }
  const longer = () => readTorrent({ ...SINGLE, 'piece length': 2 ** 30, pieces });
  assert.throws(longer, { ...refused, message: /no usable piece length/ });
  const v2 = readTorrent(v2Of({ a: leaf(5) }, { 'piece length': 2 ** 29 }));
  assert.equal(v2.pieceLengthBytes, 2 ** 29);
});

test('attributes say what a file is', () => {
  const file = (attr: string, path: string) => ({ attr, length: 10, path: [path] });
  const { files } = readTorrent({
    ...v1Of('x'),
    files: [file('x', 'run'), file('h', 'hidden'), file('p', 'pad'), file('??', 'plain')],
  });
  assert.deepEqual(
    files.map((each) => each.isExecutable),
    [true, false, false, false],
  );
  assert.deepEqual(
    files.map((each) => each.isHidden),
    [false, true, false, false],
  );
  assert.deepEqual(
    files.map((each) => each.isPad),
    [false, false, true, false],
  );
});

test("BitComet's pad files are known by their name", () => {
  const { files } = readTorrent(v1Of('a', '_____padding_file_0_if you see this'));
  assert.deepEqual(
    files.map((file) => file.isPad),
    [false, true],
  );
});

const REFUSED: Readonly<Record<string, Bencodable>> = {
  'no piece length': { ...SINGLE, 'piece length': undefined },
  'a negative piece length': { ...SINGLE, 'piece length': -16384 },
  'a piece length of zero': { ...SINGLE, 'piece length': 0 },
  'a piece length of 1 GiB': { ...SINGLE, 'piece length': 2 ** 30 },
  'no name': { ...SINGLE, name: undefined },
  'a single file whose name is dots': { ...SINGLE, name: '..' },
  'an empty name of a single file': { ...SINGLE, name: '' },
  'no length and no files': { ...SINGLE, length: undefined },
  'a length past 2^53': { ...SINGLE, length: 2n ** 60n },
  'a negative length in a list': { ...v1Of('a'), files: [{ length: -1, path: ['a'] }] },
  'a file without a path': { ...v1Of('a'), files: [{ length: 16384 }] },
  'a path with a number in it': { ...v1Of('a'), files: [{ length: 16384, path: ['a', 4] }] },
  'a file that is a string': { ...v1Of('a'), files: ['a'] },
  'no pieces': { ...SINGLE, pieces: undefined },
  'too few pieces': { ...SINGLE, pieces: new Uint8Array(20) },
  'pieces of no bytes': { ...SINGLE, length: 0, pieces: '' },
  'more than 2,097,152 pieces': { ...SINGLE, length: 0x200001, 'piece length': 1 },
  'a file tree without a meta version': { ...SINGLE, 'file tree': { a: leaf(5) } },
  'a newer version': v2Of({ a: leaf(5) }, { 'meta version': 3 }),
  'v2 without a file tree': { ...SINGLE, 'meta version': 2 },
  'v2 with an odd piece length': v2Of({ a: leaf(5) }, { 'piece length': 16385 }),
  'v2 with short pieces': v2Of({ a: leaf(5) }, { 'piece length': 8192 }),
  'v2 with an empty tree': v2Of({}),
  'v2 with a file in place of a directory': v2Of({ a: { length: 5 } }),
  'v2 with a nameless directory': v2Of({ '': leaf(5), b: leaf(5) }),
  'v2 with one file whose name is nothing': v2Of({ '\\': leaf(5) }),
  'v2 with a pad file': v2Of({ a: leaf(5, { attr: 'p' }) }),
  'v2 without a root': v2Of({ a: leaf(5, { 'pieces root': undefined }) }),
  'v2 with a short root': v2Of({ a: leaf(5, { 'pieces root': ROOT.subarray(1) }) }),
  'v2 with a root of zeros': v2Of({ a: leaf(5, { 'pieces root': new Uint8Array(32) }) }),
  'v2 with 2^44 bytes in a file': v2Of({ a: leaf(2 ** 44) }, { 'piece length': 2 ** 28 }),
};

for (const [what, info] of Object.entries(REFUSED)) {
  test(`${what}: refused`, () => {
    assert.throws(() => readTorrent(info), refused);
  });
}

test('the files of a torrent have 2^48 bytes at most', () => {
  const files = Array.from({ length: 33 }, (_, nth) => ({ length: 2 ** 43, path: [`${nth}`] }));
  const info = { ...v1Of(), 'piece length': 2 ** 29, files };
  assert.throws(() => readTorrent(info), { ...refused, message: /too large together/ });
});

test('a torrent that is no dictionary, or has no info dictionary, is refused', () => {
  assert.throws(() => parseMetainfo(encodeUtf8('4:spam'), digests), refused);
  assert.throws(() => parseMetainfo(encodeUtf8('de'), digests), refused);
  assert.throws(() => parseMetainfo(encodeUtf8('d4:infoi1ee'), digests), refused);
  const bencode = { name: 'WireError', code: 'WIRE_BENCODE' };
  assert.throws(() => parseMetainfo(new Uint8Array(0), digests), bencode);
});

test('bytes after a torrent are ignored', () => {
  const view = concatBytes(encodeBencode({ info: SINGLE }), encodeUtf8('\r\n'));
  assert.equal(parseMetainfo(view, digests).name, 'one.bin');
});

test('v1 may be untidy, v2 must be canonical', () => {
  const untidy = (text: string) => readTorrent(new RawBencode(encodeUtf8(text)));
  const v1 = `d6:lengthi9e4:name1:x12:piece lengthi016384e6:pieces20:${'-'.repeat(20)}e`;
  assert.equal(untidy(v1).pieceLengthBytes, 16384);
  const root = 'r'.repeat(32);
  const v2 = (length: string) =>
    `d9:file treed1:ad0:d6:lengthi${length}e11:pieces root32:${root}eee` +
    '12:meta versioni2e4:name1:x12:piece lengthi16384ee';
  assert.equal(untidy(v2('9')).totalBytes, 16384);
  assert.throws(() => untidy(v2('09')), refused);
});

test('each v2 file begins on a piece, with pads after those that end inside one', () => {
  const torrent = readTorrent(v2Of({ a: leaf(10), b: leaf(0), c: leaf(16384), d: leaf(20000) }));
  assert.deepEqual(pathsOf(torrent), [
    'test/a',
    'test/.pad/16374',
    'test/b',
    'test/c',
    'test/d',
    'test/.pad/12768',
  ]);
  assert.deepEqual(
    torrent.files.filter((file) => !file.isPad).map((file) => file.offsetBytes),
    [0, 16384, 16384, 32768],
  );
  assert.equal(torrent.pieceCount, 4);
  assert.equal(torrent.infoHashV1, null);
  assert.equal(torrent.pieceHashesV1, null);
});

test('in a directory a file whose name is nothing is an underscore', () => {
  const torrent = readTorrent(v2Of({ '//': leaf(16384), '\\': leaf(16384), x: leaf(16384) }));
  assert.deepEqual(pathsOf(torrent), ['test/_', 'test/_.1', 'test/x']);
});

test('a tree of one file is that file, without a directory', () => {
  const torrent = readTorrent(v2Of({ 'one.bin': leaf(16384) }));
  assert.deepEqual(pathsOf(torrent), ['one.bin']);
  assert.equal(torrent.name, 'one.bin');
  assert.deepEqual(torrent.files[0]?.piecesRoot, ROOT);
});

function hybrid(v1Files: readonly Bencodable[], pieces: number): Fields {
  const tree = { a: leaf(10), b: leaf(20) };
  return v2Of(tree, { files: v1Files, pieces: new Uint8Array(pieces * 20) });
}

const A = { length: 10, path: ['a'] };
const B = { length: 20, path: ['b'] };
const PAD_A = { attr: 'p', length: 16374, path: ['.pad', '16374'] };
const PAD_B = { attr: 'p', length: 16364, path: ['.pad', '16364'] };

test('a hybrid may pad its last file or not', () => {
  for (const files of [
    [A, PAD_A, B],
    [A, PAD_A, B, PAD_B],
  ]) {
    const torrent = readTorrent(hybrid(files, 2));
    assert.equal(torrent.files.length, files.length);
    assert.ok(torrent.infoHashV1 !== null && torrent.infoHashV2 !== null);
    assert.equal(torrent.pieceHashesV1?.length, 40);
  }
});

test('a hybrid whose halves differ is refused', () => {
  const other = { length: 20, path: ['c'] };
  const longer = { length: 21, path: ['b'] };
  for (const files of [[A, B], [A, PAD_A, other], [A, PAD_A, longer], [B, PAD_B, A], [A]]) {
    assert.throws(() => readTorrent(hybrid(files, 2)), refused);
  }
});

test('a hybrid may have a name of which nothing may stand in both halves, below a directory', () => {
  const read = (tree: Fields, ...path: readonly string[]) =>
    readTorrent({ ...v2Of(tree), files: [{ length: 10, path }], pieces: new Uint8Array(20) });
  assert.deepEqual(pathsOf(read({ d: { '..': leaf(10) } }, 'd', '..')), ['test/d']);
  assert.throws(() => read({ '..': leaf(10) }, '..'), refused);
});

test('files of one root have one length, or their piece layer fits none', () => {
  const tree = { a: leaf(40000), b: leaf(70000) };
  const layers = new Map([[String.fromCharCode(...ROOT), new Uint8Array(3 * 32)]]);
  const read = () => readTorrent(v2Of(tree), { 'piece layers': layers });
  assert.throws(read, { ...refused, message: /wrong size/ });
});

test('trackers come in tiers; the single one counts only without a list', () => {
  const outside = {
    announce: 'http://single/',
    'announce-list': [[' http://a/ ', 'http://b/'], [''], 'http://stray/', ['udp://c:1', 5]],
  };
  assert.deepEqual(readTorrent(SINGLE, outside).trackers, [
    ['http://a/', 'http://b/'],
    ['udp://c:1'],
  ]);
  const empty = { announce: 'http://single/', 'announce-list': [[]] };
  assert.deepEqual(readTorrent(SINGLE, empty).trackers, [['http://single/']]);
});

test('a torrent names a thousand trackers, web seeds and nodes, and has two million pieces', () => {
  const many = Array.from({ length: 1_500 }, (_, nth) => nth);
  const torrent = readTorrent(SINGLE, {
    'announce-list': many.map((nth) => [`http://t${nth}/`, `udp://t${nth}:1`]),
    'url-list': many.map((nth) => `http://w${nth}/`),
    nodes: many.map((nth) => [`n${nth}`, 1]),
  });
  const counts = [torrent.trackers.flat(), torrent.webSeeds, torrent.nodes].map((x) => x.length);
  assert.deepEqual(counts, [1_000, 1_000, 1_000]);
  const large = (pieces: number) => readTorrent(v2Of({ a: leaf(pieces * 16384) }));
  assert.equal(large(0x200000).pieceCount, 2_097_152);
  assert.throws(() => large(0x200001), { ...refused, message: /it has 2097153 pieces/ });
});

test('DHT nodes are pairs of host and port', () => {
  const nodes = [['127.0.0.1', 6881], ['::1', 70000], ['x'], 5, ['router', 80, 1]];
  assert.deepEqual(readTorrent(SINGLE, { nodes }).nodes, [
    { host: '127.0.0.1', port: 6881 },
    { host: 'router', port: 80 },
  ]);
});

test('comment, creator and date are read, the UTF-8 forms first', () => {
  const torrent = readTorrent(SINGLE, {
    comment: 'plain',
    'comment.utf-8': 'ünï',
    'created by': 'us',
    'creation date': 1234567,
  });
  assert.equal(torrent.comment, 'ünï');
  assert.equal(torrent.createdBy, 'us');
  assert.equal(torrent.creationDate, 1234567);
  assert.equal(readTorrent(SINGLE, { 'creation date': -1 }).creationDate, null);
});

test('private is any integer but zero', () => {
  assert.equal(readTorrent({ ...SINGLE, private: 1 }).isPrivate, true);
  assert.equal(readTorrent({ ...SINGLE, private: 2n ** 62n }).isPrivate, true);
  assert.equal(readTorrent({ ...SINGLE, private: 0 }).isPrivate, false);
  assert.equal(readTorrent({ ...SINGLE, private: '1' }).isPrivate, false);
});

test('a web seed of many files ends in a slash', () => {
  const seeds = { 'url-list': 'http://a/b c' };
  assert.deepEqual(readTorrent(SINGLE, seeds).webSeeds, ['http://a/b%20c']);
  assert.deepEqual(readTorrent(v1Of('a', 'b'), seeds).webSeeds, ['http://a/b%20c/']);
  assert.deepEqual(readTorrent(v1Of('a'), seeds).webSeeds, ['http://a/b%20c']);
});

test('a torrent broken anywhere is read or refused with WireError, and paths stay safe', () => {
  const seeds = [
    encodeBencode({ info: v1Of('a/b', '../c', 'd') }),
    encodeBencode({ info: hybrid([A, PAD_A, B], 2), 'piece layers': {}, announce: 'x' }),
    encodeBencode({
      info: v2Of({ a: leaf(40000), l: leaf(0, { attr: 'l', 'symlink path': ['a'] }) }),
    }),
  ];
  const change = fc.record({ at: fc.nat(600), byte: fc.nat(255), cut: fc.nat(2) });
  const property = fc.property(
    fc.constantFrom(...seeds),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    (seed, changes) => {
      let view = seed;
      for (const { at, byte, cut } of changes) {
        const place = at % view.length;
        view = concatBytes(
          view.subarray(0, place),
          Uint8Array.of(byte),
          view.subarray(place + cut),
        );
      }
      try {
        const torrent = parseMetainfo(view, digests);
        const paths = torrent.files.filter((file) => !file.isPad).map((file) => file.path);
        const folded = paths.map((path) => path.join('/').toLowerCase());
        assert.equal(new Set(folded).size, folded.length);
        assert.ok(
          paths.flat().every((name) => !/^\.{0,2}$|[/\0]/.test(name)),
          folded.join(),
        );
        assert.ok(
          equalBytes(
            digests.sha1(torrent.infoBytes),
            torrent.infoHashV1 ?? digests.sha1(torrent.infoBytes),
          ),
        );
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});
