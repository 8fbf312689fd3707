import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FileName, renameFiles, TOP, withName } from './rename.ts';

const FILES = ['box/a', 'box/sub/b', 'box/.pad/7', 'box/c'].map((path) => ({
  path: path.split('/'),
  isPad: path.includes('.pad'),
}));

/** Paths after renaming, padding left out, or why not. */
function renamed(...names: readonly FileName[]): readonly string[] | string {
  const outcome = renameFiles(FILES, names);
  if (!outcome.ok) return outcome.problem;
  return outcome.files.filter(({ isPad }) => !isPad).map(({ path }) => path.join('/'));
}

test('a file gets another path; padding is not counted', () => {
  assert.deepEqual(renamed({ file: 2, path: 'box/new/d' }), ['box/a', 'box/sub/b', 'box/new/d']);
  assert.deepEqual(renamed({ file: 0, path: 'alone' }), ['alone', 'box/sub/b', 'box/c']);
});

test('the top folder is renamed for all files but those that have a path of their own', () => {
  assert.deepEqual(renamed({ file: 0, path: 'box/x' }, { file: TOP, path: 'crate/deep' }), [
    'box/x',
    'crate/deep/sub/b',
    'crate/deep/c',
  ]);
  const single = renameFiles([{ path: ['film'], isPad: false }], [{ file: TOP, path: 'movie' }]);
  assert.deepEqual(single.ok && single.files[0]?.path, ['movie']);
});

test('renaming the top folder takes files along that were named in it', () => {
  const once = withName([], { file: 0, path: 'box/x' }, 'box');
  const twice = withName(once, { file: TOP, path: 'crate' }, 'box');
  assert.deepEqual(renamed(...twice), ['crate/x', 'crate/sub/b', 'crate/c']);
  const again = withName(twice, { file: TOP, path: 'chest' }, 'box');
  assert.deepEqual(renamed(...again), ['chest/x', 'chest/sub/b', 'chest/c']);
  assert.equal(again.length, 2);
});

test('paths that leave the folder, or that no disk takes, are refused in one line', () => {
  for (const path of ['../x', 'a/../../x', '/etc/passwd', '.', 'a//b', '', 'a/']) {
    assert.match(`${renamed({ file: 0, path })}`, /cannot be a path/, path);
  }
  for (const path of ['a\\b', 'a\0b', 'x\u202egpj.exe', 'con', 'LPT1.txt', 'a/nul', 'x.', 'x ']) {
    assert.match(`${renamed({ file: 0, path })}`, /cannot be a path/, path);
  }
  assert.match(`${renamed({ file: 0, path: 'x'.repeat(300) })}`, /too long/);
  assert.match(`${renamed({ file: 0, path: `.${'ab'.repeat(20)}.parts` })}`, /part files/);
});

test('two files of one path, or a file where a folder is, are refused whatever the case', () => {
  assert.equal(renamed({ file: 0, path: 'Box/C' }), 'two files would be box/c');
  assert.equal(renamed({ file: 0, path: 'box/sub' }), 'two files would be box/sub');
  assert.equal(renamed({ file: 0, path: 'box/c/d' }), 'two files would be box/c');
});

test('a file that is not there is refused with the number of files', () => {
  assert.equal(renamed({ file: 3, path: 'x' }), 'there is no file 4: the torrent has 3');
});

test('whatever names are given, what is accepted stays below the folder and apart', () => {
  const element = fc.constantFrom('a', 'A', 'b', '..', '.', '', 'box', 'sub', 'con', 'x\\y');
  const path = fc.array(element, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const name = fc.record({ file: fc.oneof(fc.nat(3), fc.constant(TOP as typeof TOP)), path });
  const property = fc.property(fc.array(name, { maxLength: 4 }), (names) => {
    const paths = renamed(...names);
    if (typeof paths === 'string') return;
    assert.equal(new Set(paths.map((one) => one.toLowerCase())).size, paths.length);
    for (const one of paths) {
      assert.ok(!one.split('/').some((part) => ['', '.', '..'].includes(part)), one);
    }
  });
  fc.assert(property, { numRuns: 1000 });
});

test('links lead to where their targets are now', () => {
  const link = (path: string, target: string) => ({
    ...{ path: path.split('/'), isPad: false, symlinkTarget: target.split('/') },
  });
  const file = (path: string) => ({ path: path.split('/'), isPad: false, symlinkTarget: null });
  const files = [
    file('t/a'),
    file('t/d/b'),
    link('t/to a', 't/a'),
    link('t/to d', 't/d'),
    link('t/to b', 't/d/b'),
  ];
  const targets = (names: Parameters<typeof renameFiles>[1]) => {
    const outcome = renameFiles(files, names);
    assert.ok(outcome.ok);
    return outcome.files.slice(2).map(({ symlinkTarget }) => symlinkTarget?.join('/'));
  };
  assert.deepEqual(targets([]), ['t/a', 't/d', 't/d/b']);
  assert.deepEqual(targets([{ file: 'top', path: 'u' }]), ['u/a', 'u/d', 'u/d/b']);
  assert.deepEqual(targets([{ file: 0, path: 't/x/a 2' }]), ['t/x/a 2', 't/d', 't/d/b']);
  assert.deepEqual(targets([{ file: 1, path: 't/e/f/b' }]), ['t/a', 't/e/f', 't/e/f/b']);
});
