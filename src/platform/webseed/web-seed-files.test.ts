import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { segmentsOf, type WebSeedFile, webSeedUrl } from './web-seed-files.ts';

function fileOf(path: readonly string[], isPad = false): WebSeedFile {
  return { path, lengthBytes: 1, offsetBytes: 0, isPad };
}

test('a torrent of one file is the URL itself, or lies in the folder it names', () => {
  assert.equal(webSeedUrl('http://h/some.iso', fileOf(['a b.iso'])), 'http://h/some.iso');
  assert.equal(webSeedUrl('http://h/dir/', fileOf(['a b.iso'])), 'http://h/dir/a%20b.iso');
});

test('files of a larger torrent lie below its name, each element escaped', () => {
  const file = fileOf(['name', 'sub#1', 'ä?(1).txt']);
  const url = 'http://h/dir/name/sub%231/%C3%A4%3F%281%29.txt';
  assert.equal(webSeedUrl('http://h/dir/', file), url);
  assert.equal(webSeedUrl('http://h/dir', file), url);
});

test('the segments of any range cover it once, in order, whatever files are empty', () => {
  const lengths = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (sizes, a, b) => {
      let total = 0;
      const files = sizes.map((lengthBytes) => {
        const offsetBytes = total;
        total += lengthBytes;
        return { path: ['f'], lengthBytes, offsetBytes, isPad: false };
      });
      const [start, end] = [a % (total + 1), b % (total + 1)].sort((x, y) => x - y);
      let at = start ?? 0;
      for (const { file, position, length } of segmentsOf(files, at, end ?? 0)) {
        assert.equal(file.offsetBytes + position, at);
        assert.ok(length > 0 && position + length <= file.lengthBytes);
        at += length;
      }
      assert.equal(at, end);
    }),
  );
});
