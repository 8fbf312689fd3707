/**
 * libtorrent's own test torrents: the same verdicts, hashes, sizes and names as libtorrent 2.0.8.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../src/units/index.ts';
import { type Digests, type Metainfo, parseMetainfo, WireError } from '../../src/wire/index.ts';
import { type TorrentFacts, torrentFacts } from '../support/torrent-facts.ts';

interface ExpectedTorrent extends TorrentFacts {
  readonly fileCount: number;
  /** Null where the list was too long to keep. */
  readonly files: readonly ExpectedFile[] | null;
}

interface ExpectedFile {
  readonly path: string;
  readonly length: number;
  readonly pad: boolean;
}

interface Expected {
  readonly accept: Readonly<Record<string, ExpectedTorrent>>;
}

const FOLDER = fileURLToPath(new URL('./torrents/', import.meta.url));

/**
 * Files whose path we spell differently on purpose. Here libtorrent names a file `test` beside
 * the directory `test`, which no disk can hold.
 */
const SPELLED_OTHERWISE: ReadonlySet<string> = new Set(['v2_invalid_filename2.torrent']);

const digests: Digests = {
  sha1: (view) => new Uint8Array(hash('sha1', view, 'buffer')),
  sha256: (view) => new Uint8Array(hash('sha256', view, 'buffer')),
};

const expected: Expected = JSON.parse(readFileSync(`${FOLDER}expected.json`, 'utf8'));

function load(folder: 'accept' | 'reject', file: string): Uint8Array {
  return new Uint8Array(readFileSync(`${FOLDER}${folder}/${file}`));
}

test('the conformance folder holds the 61 torrents', () => {
  assert.equal(readdirSync(`${FOLDER}accept`).length, 40);
  assert.equal(readdirSync(`${FOLDER}reject`).length, 21);
});

for (const file of readdirSync(`${FOLDER}accept`)) {
  test(`${file} is read as libtorrent reads it`, () => {
    const wanted = expected.accept[file];
    assert.ok(wanted, `${file} has no entry in expected.json`);
    const torrent = parseMetainfo(load('accept', file), digests);
    const { files, ...facts } = summarise(torrent);
    assert.deepEqual(facts, {
      v1: wanted.v1,
      v2: wanted.v2,
      name: wanted.name,
      pieceLength: wanted.pieceLength,
      pieces: wanted.pieces,
      totalSize: wanted.totalSize,
      fileCount: wanted.fileCount,
      private: wanted.private,
    });
    if (wanted.files !== null && !SPELLED_OTHERWISE.has(file)) {
      assert.deepEqual(files, wanted.files);
    }
    assertPathsAreSafe(torrent);
  });
}

for (const file of readdirSync(`${FOLDER}reject`)) {
  test(`${file} is refused`, () => {
    assert.throws(() => parseMetainfo(load('reject', file), digests), WireError);
  });
}

// expected.json has no tracker and no web seed for any file, though some files have them. What
// follows is what libtorrent's own test/test_torrent_info.cpp wants of these files.
const WEB_SEEDS: Readonly<Record<string, readonly string[]>> = {
  'url_seed.torrent': ['http://test.com/file'],
  'url_seed_multi.torrent': ['http://test.com/file/'],
  'url_seed_multi_space.torrent': ['http://test.com/test%20file/foo%20bar/'],
  'duplicate_web_seeds.torrent': [
    'http://foobar.com/foo',
    'http://foobar.com/foobar',
    'http://foobar.com/bar',
  ],
  'url_list.torrent': [],
  'url_list2.torrent': [],
  'url_list3.torrent': [],
  'empty_httpseed.torrent': [],
};

for (const [file, webSeeds] of Object.entries(WEB_SEEDS)) {
  test(`${file} has ${webSeeds.length} web seeds`, () => {
    assert.deepEqual(parseMetainfo(load('accept', file), digests).webSeeds, webSeeds);
  });
}

test('white space around a tracker is not part of it', () => {
  const { trackers } = parseMetainfo(load('accept', 'whitespace_url.torrent'), digests);
  assert.deepEqual(trackers, [['udp://test.com/announce']]);
});

test('a torrent without a creation date has none', () => {
  const torrent = parseMetainfo(load('accept', 'no_creation_date.torrent'), digests);
  assert.equal(torrent.creationDate, null);
});

test('similar torrents and collections are found inside and outside the info dictionary', () => {
  for (const file of ['similar.torrent', 'similar2.torrent']) {
    const { similar } = parseMetainfo(load('accept', file), digests);
    assert.deepEqual(similar.map(toHex), ['61'.repeat(20)], file);
  }
  for (const file of ['collection.torrent', 'collection2.torrent']) {
    const { collections } = parseMetainfo(load('accept', file), digests);
    assert.deepEqual(collections, ['bar', 'foo'], file);
  }
});

test('links of a framework lead through other links', () => {
  for (const file of ['overlapping_symlinks.torrent', 'v2_symlinks.torrent']) {
    const { files } = parseMetainfo(load('accept', file), digests);
    const targets = files.slice(0, 3).map((link) => link.symlinkTarget?.join('/'));
    assert.deepEqual(
      targets,
      ['Headers', 'Resources', 'SDL2'].map((leaf) => `SDL2.framework/Versions/Current/${leaf}`),
      file,
    );
  }
});

function summarise(torrent: Metainfo): ExpectedTorrent {
  return {
    ...torrentFacts(torrent),
    fileCount: torrent.files.length,
    files: torrent.files.map((file) => ({
      path: file.path.join('/'),
      length: file.lengthBytes,
      pad: file.isPad,
    })),
  };
}

function assertPathsAreSafe(torrent: Metainfo): void {
  const seen = new Set<string>();
  for (const file of torrent.files.filter((candidate) => !candidate.isPad)) {
    for (const element of file.path) {
      assert.ok(element !== '' && element !== '.' && element !== '..', `element '${element}'`);
      assert.ok(!/[/\0]/.test(element), `element '${element}'`);
      assert.ok(Buffer.byteLength(element) <= 255, `element '${element}' is too long`);
    }
    const folded = file.path.join('/').toLowerCase();
    assert.ok(!seen.has(folded), `${folded} is there twice`);
    seen.add(folded);
  }
}
