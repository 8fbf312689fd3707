import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bencodable } from '../bencode/encode.ts';
import { pathsOf, readTorrent, v1Of } from './testing/torrents.ts';

const refused = { name: 'WireError', code: 'WIRE_METAINFO' };

interface Entry {
  readonly path: readonly string[];
  readonly length?: number;
  readonly attr?: string;
  readonly 'symlink path'?: readonly string[];
}

function read(...entries: readonly Entry[]): ReturnType<typeof readTorrent> {
  const files: Bencodable[] = [
    ...entries.map((entry) => ({ length: 0, ...entry }) as { [key: string]: Bencodable }),
    { length: 16384, path: ['payload'] },
  ];
  return readTorrent({ ...v1Of('payload'), files, pieces: new Uint8Array(20) });
}

/** What files given under `test/` are called in the end. */
function renamed(...paths: readonly string[]): readonly string[] {
  return pathsOf(readTorrent(v1Of(...paths))).map((path) => path.slice('test/'.length));
}

// The cases of libtorrent's resolve_duplicates test.
test('a later file of the same name is numbered, whatever the case', () => {
  assert.deepEqual(
    renamed('temporary.txt', 'Temporary.txt', 'TeMPorArY.txT', 'test/TEMPORARY.TXT'),
    ['temporary.txt', 'Temporary.1.txt', 'TeMPorArY.2.txT', 'test/TEMPORARY.TXT'],
  );
  assert.deepEqual(renamed('b.exe', 'B.ExE', 'B.exe'), ['b.exe', 'B.1.ExE', 'B.2.exe']);
});

test('a directory keeps its name, before or after the file that wants it', () => {
  assert.deepEqual(renamed('a/b/c', 'a', 'a/b'), ['a/b/c', 'a.1', 'a/b.1']);
  assert.deepEqual(renamed('a', 'a/b'), ['a.1', 'a/b']);
  assert.deepEqual(renamed('A/tmp', 'a', 'A'), ['A/tmp', 'a.1', 'A.2']);
});

test('pad files of one size share a path, others do not', () => {
  const pad = (length: number) => ({ attr: 'p', length, path: ['.pad', '12'] });
  const entries = [pad(12), pad(12), pad(13), { length: 1, path: ['.pad', '12'] }];
  const files: Bencodable[] = [...entries, { length: 16384 - 38, path: ['z'] }];
  const torrent = readTorrent({ ...v1Of('z'), files });
  assert.deepEqual(pathsOf(torrent), [
    'test/.pad/12',
    'test/.pad/12',
    'test/.pad/12.1',
    'test/.pad/12.2',
    'test/z',
  ]);
});

test('a torrent that repeats one name without end is refused', () => {
  assert.doesNotThrow(() => renamed(...Array.from({ length: 30 }, () => 'bar.txt')));
  assert.throws(() => renamed(...Array.from({ length: 40 }, () => 'bar.txt')), refused);
});

test('paths cannot climb, start at the root or hide separators', () => {
  assert.deepEqual(renamed('../../etc/passwd', '/abs', '.', './x', 'a\\b'), [
    'etc/passwd',
    '_/abs',
    '_.1',
    'x',
    'ab',
  ]);
});

test('a deep path and a wide directory cost no more than their bytes', () => {
  const deep = Array.from({ length: 100_000 }, () => 'a').join('/');
  assert.equal(renamed(deep, `${deep}/b`)[1], `${deep}/b`);
});

function link(path: string, target: string): Entry {
  return { attr: 'l', path: path.split('/'), 'symlink path': target.split('/') };
}

function targetsOf(...entries: readonly Entry[]): readonly (string | null)[] {
  const torrent = readTorrent({
    ...v1Of('a/b/bar'),
    files: [
      { length: 16384, path: ['a', 'b', 'bar'] },
      ...entries.map((entry) => ({ length: 0, ...entry }) as { [key: string]: Bencodable }),
    ],
  });
  return torrent.files.slice(1).map((file) => file.symlinkTarget?.join('/') ?? null);
}

test('a link points at a file or a directory of its torrent', () => {
  assert.deepEqual(targetsOf(link('l', 'a/b/bar')), ['test/a/b/bar']);
  assert.deepEqual(targetsOf(link('l', 'a/b')), ['test/a/b']);
});

test('a link may be given from its own directory', () => {
  assert.deepEqual(targetsOf(link('a/l', 'b/bar')), ['test/a/b/bar']);
});

test('a link may lead through other links', () => {
  assert.deepEqual(targetsOf(link('l', 'm/bar'), link('m', 'a/b')), ['test/m/bar', 'test/a/b']);
});

test('a link may bear the name of the directory it leads into', () => {
  assert.deepEqual(targetsOf(link('a', 'a/b/bar')), ['test/a/b/bar']);
});

test('a link follows the file it points to when that is renamed', () => {
  const { files } = read({ path: ['A'] }, { path: ['a'] }, link('l', 'a'));
  assert.deepEqual(files[1]?.path, ['test', 'a.1']);
  assert.deepEqual(files[2]?.symlinkTarget, ['test', 'a.1']);
});

test('a link to elsewhere, to itself or around in a circle is no link', () => {
  assert.deepEqual(targetsOf(link('l', '../../etc/passwd')), [null]);
  assert.deepEqual(targetsOf(link('l', 'missing')), [null]);
  assert.deepEqual(targetsOf(link('l', 'l')), [null]);
  assert.deepEqual(targetsOf(link('l', 'm/x'), link('m', 'l')), [null, null]);
});

test('links that lead through each other without end are looked at so long, and no longer', () => {
  // Each leads through the next, down to the file; Linux follows forty, and so do we.
  const chain = (count: number) =>
    Array.from({ length: count }, (_, nth) => link(`l${nth}`, nth === 0 ? 'a' : `l${nth - 1}`));
  assert.equal(targetsOf(...chain(41))[40], 'test/l39');
  assert.equal(targetsOf(...chain(42))[41], null);
  // Ten thousand elements for each of many links: after five million the rest are no links.
  const deep = Array.from({ length: 10_000 }, () => 'd').join('/');
  const many = Array.from({ length: 510 }, (_, nth) => link(`m${nth}`, 'deep'));
  const files = [link('deep', deep), { path: [...deep.split('/'), 'end'] }, ...many];
  const targets = targetsOf(...files).slice(2);
  assert.equal(targets[0], 'test/deep');
  assert.equal(targets.at(-1), null);
});

test('a link without a target, or with a length, has no bytes', () => {
  const { files } = read({ attr: 'l', length: 425, path: ['l'] });
  assert.equal(files[0]?.lengthBytes, 0);
  assert.equal(files[0]?.symlinkTarget, null);
});

test('however files are named, no two share a path and links stay inside', () => {
  const element = fc.constantFrom('a', 'A', 'b', 'a.1', '..', '', 'b.txt', 'B.TXT', '/', '.pad');
  const path = fc.array(element, { minLength: 1, maxLength: 4 });
  const entry = fc.record(
    { path, length: fc.nat(3), attr: fc.constantFrom('l', 'x', ''), 'symlink path': path },
    { requiredKeys: ['path', 'length'] },
  );
  const property = fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
    const files: Bencodable[] = [...entries, { length: 16000, path: ['payload'] }];
    const torrent = readTorrent({ ...v1Of('payload'), files });
    const paths = pathsOf(torrent).map((joined) => joined.toLowerCase());
    assert.equal(new Set(paths).size, paths.length, paths.join());
    const directories = torrent.files.map((file) => file.path.slice(0, -1).join('/').toLowerCase());
    for (const joined of paths) {
      assert.ok(!directories.some((directory) => `${directory}/`.startsWith(`${joined}/`)), joined);
      assert.ok(joined.startsWith('test/'));
    }
    for (const { symlinkTarget } of torrent.files) {
      if (symlinkTarget !== null) assert.equal(symlinkTarget[0], 'test');
    }
  });
  fc.assert(property, { numRuns: 1000 });
});
