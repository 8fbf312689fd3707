import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailure } from '../../units/index.ts';
import { FileLayout, type LayoutFile } from './file-layout.ts';

/** Files of the given lengths, one after another. */
function filesOf(lengths: readonly number[], isPad = (_: number): boolean => false): LayoutFile[] {
  let offsetBytes = 0;
  return lengths.map((lengthBytes, nth) => {
    const file = { path: [`f${nth}`], lengthBytes, offsetBytes, isPad: isPad(nth) };
    offsetBytes += lengthBytes;
    return file;
  });
}

test('a range over three files has three segments, in order', () => {
  const layout = new FileLayout('/data', filesOf([10, 5, 10]));
  assert.deepEqual(layout.segments(8, 9), [
    { path: '/data/f0', position: 8, start: 0, length: 2 },
    { path: '/data/f1', position: 0, start: 2, length: 5 },
    { path: '/data/f2', position: 0, start: 7, length: 2 },
  ]);
});

test('padding has a segment without a path, empty files have none', () => {
  const layout = new FileLayout(
    '/data',
    filesOf([3, 0, 5, 0, 2], (nth) => nth === 2),
  );
  assert.deepEqual(
    layout.segments(0, 10).map(({ path, length }) => [path, length]),
    [
      ['/data/f0', 3],
      [null, 5],
      ['/data/f4', 2],
    ],
  );
});

test('a range past the end is our own mistake', () => {
  const layout = new FileLayout('/data', filesOf([10]));
  assert.throws(() => layout.segments(5, 6), AssertionFailure);
  assert.throws(() => layout.segments(-1, 2), AssertionFailure);
  assert.deepEqual(layout.segments(10, 0), []);
});

test('segments say for every byte what counting says', () => {
  const lengths = fc.array(fc.nat(12), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.nat(200), fc.nat(200), fc.nat(11), (sizes, a, b, pad) => {
      const files = filesOf(sizes, (nth) => nth === pad);
      const layout = new FileLayout('/d', files);
      const offset = a % (layout.totalBytes + 1);
      const length = b % (layout.totalBytes - offset + 1);
      const owners = files.flatMap((file) =>
        Array.from({ length: file.lengthBytes }, (_, position) => ({
          path: file.isPad ? null : layout.pathOf(file),
          position,
        })),
      );
      const bytes = layout.segments(offset, length).flatMap((segment) => {
        assert.ok(segment.length > 0);
        return Array.from({ length: segment.length }, (_, at) => ({
          path: segment.path,
          position: segment.position + at,
        }));
      });
      assert.deepEqual(bytes, owners.slice(offset, offset + length));
    }),
  );
});
