import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prioritiesOf, readFileList, readFilePriority } from './file-choice.ts';

test('a list is numbers and ranges, each file once', () => {
  assert.deepEqual(readFileList('1,3-5'), [1, 3, 4, 5]);
  assert.deepEqual(readFileList(' 7 , 2 - 3,2'), [2, 3, 7]);
});

test('what is no list of files is refused in one sentence', () => {
  for (const text of ['', '0', '5-3', '1,', 'a', '1-', '-1', '1.5', '1-1000001', '99999999']) {
    assert.throws(() => readFileList(text), /^InvalidArgumentError: Use numbers[^\n]*$/, text);
  }
  for (const text of ['', '1', '1=8', '0=4', '1=', '=4', '1=44']) {
    assert.throws(() => readFilePriority(text), /^InvalidArgumentError: Use NUMBER=LEVEL/, text);
  }
});

test('a selection leaves all others out; a priority alone leaves nothing out', () => {
  assert.deepEqual(prioritiesOf({ select: [2, 4] }), {
    filePriorities: [0, 4, 0, 4],
    otherFilesPriority: 0,
  });
  assert.deepEqual(prioritiesOf({ priority: readFilePriority('3=7') }), {
    filePriorities: [4, 4, 7],
    otherFilesPriority: 4,
  });
  const both = { select: [1, 2], priority: readFilePriority('2=7', readFilePriority('3=1')) };
  assert.deepEqual(prioritiesOf(both).filePriorities, [4, 7, 1]);
  assert.deepEqual(prioritiesOf({}), {});
});

test('any list reads back as the files it names', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1 });
  fc.assert(
    fc.property(numbers, (files) => {
      const sorted = files.toSorted((a, b) => a - b);
      assert.deepEqual(readFileList(files.join(',')), sorted);
      const { filePriorities = [] } = prioritiesOf({ select: sorted });
      const found = filePriorities.flatMap((level, nth) => (level > 0 ? [nth + 1] : []));
      assert.deepEqual(found, sorted);
    }),
  );
});
