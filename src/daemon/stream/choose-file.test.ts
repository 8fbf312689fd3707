import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseFile } from './choose-file.ts';
import type { StreamedTorrent } from './streamed-torrent.ts';

const SET = torrentOf({
  'set/cover.iso': 9_000,
  'set/one.mkv': 2_000,
  'set/two.MKV': 3_000,
  'set/extras/one.mkv': 10,
  'set/extras/more.txt': 1,
});

test('without a wish the largest file that plays', () => {
  assert.equal(chooseFile(SET, null).path, 'set/two.MKV');
});

test('where nothing plays, the largest', () => {
  assert.equal(chooseFile(torrentOf({ 'a/b.bin': 1, 'a/c.bin': 2 }), null).path, 'a/c.bin');
});

test('by number, by path, by the end of a path', () => {
  assert.equal(chooseFile(SET, '1').path, 'set/cover.iso');
  assert.equal(chooseFile(SET, 'set/extras/one.mkv').index, 3);
  assert.equal(chooseFile(SET, 'more.txt').index, 4);
  assert.equal(chooseFile(SET, 'extras/one.mkv').index, 3);
});

test('what is not there, or could be several, is refused', () => {
  for (const wanted of ['0', '6', 'one.mkv', 'three.mkv', '']) {
    assert.throws(() => chooseFile(SET, wanted), { code: 'DAEMON_FILE_UNKNOWN' }, wanted);
  }
});

function torrentOf(files: Readonly<Record<string, number>>): StreamedTorrent {
  const entries = Object.entries(files).map(([path, lengthBytes], index) => ({
    index,
    position: index,
    path,
    name: path.split('/').at(-1) ?? '',
    absolutePath: path,
    lengthBytes,
    offsetBytes: 0,
  }));
  const shape = { pieceLengthBytes: 16_384, pieceCount: 1, fileCount: entries.length };
  return { key: '', name: 'set', ...shape, files: entries };
}
