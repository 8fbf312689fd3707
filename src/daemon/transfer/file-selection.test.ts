import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FileSelection } from './file-selection.ts';

const PIECE = 10;

function torrentOf(
  lengths: readonly number[],
  pads: readonly number[] = [],
): ConstructorParameters<typeof FileSelection>[0] {
  let offsetBytes = 0;
  const files = lengths.map((lengthBytes, nth) => {
    const file = { path: [`f${nth}`], lengthBytes, offsetBytes, isPad: pads.includes(nth) };
    offsetBytes += lengthBytes;
    return file;
  });
  return { files, pieceLengthBytes: PIECE, pieceCount: Math.ceil(offsetBytes / PIECE) };
}

test('a piece shared by a wanted and an unwanted file is wanted, as much as the former', () => {
  const selection = new FileSelection(torrentOf([15, 10, 25]), { files: [0, 6], others: 0 });
  assert.deepEqual([...selection.levels()], [0, 6, 6, 0, 0]);
  assert.deepEqual(
    [0, 1, 2].map((nth) => selection.isWanted(nth)),
    [false, true, false],
  );
});

test('padding is not counted as a file and makes nothing wanted', () => {
  const torrent = torrentOf([15, 5, 10], [1]);
  assert.deepEqual(
    [...new FileSelection(torrent, { files: [0, 5], others: 0 }).levels()],
    [0, 0, 5],
  );
});

test('a piece of padding alone is wanted, or the torrent could not be completed', () => {
  const torrent = torrentOf([10, 10, 10], [1]);
  assert.deepEqual(
    [...new FileSelection(torrent, { files: [0, 5], others: 0 }).levels()],
    [0, 4, 5],
  );
});

test('a file the torrent does not have is named by its number', () => {
  assert.throws(() => new FileSelection(torrentOf([5, 5]), { files: [0, 0, 4], others: 0 }), {
    code: 'DAEMON_FILE_UNKNOWN',
    message: 'there is no file 3: the torrent has 2 files',
  });
});

test('levels are what going through all bytes says', () => {
  const file = fc.tuple(fc.nat(35), fc.nat(7));
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 10 }), (files) => {
      const torrent = torrentOf(files.map(([length]) => length));
      const priorities = { files: files.map(([, level]) => level), others: 4 };
      const wanted = Array<number>(torrent.pieceCount).fill(0);
      const owners = files.flatMap(([length, level]) => Array<number>(length).fill(level));
      for (const [at, level] of owners.entries()) {
        const piece = Math.floor(at / PIECE);
        wanted[piece] = Math.max(wanted[piece] ?? 0, level);
      }
      assert.deepEqual([...new FileSelection(torrent, priorities).levels()], wanted);
    }),
  );
});
