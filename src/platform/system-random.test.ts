import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from './system-random.ts';

test('numbers lie in [0, 1), spread evenly', () => {
  const quarters = [0, 0, 0, 0];
  for (let nth = 0; nth < 4_000; nth++) {
    const quarter = Math.floor(systemRandom() * 4);
    quarters[quarter] = (quarters[quarter] ?? 0) + 1;
  }
  // 1,000 each; one in a billion runs is further off than 6.1 deviations of 27.
  for (const count of quarters) assert.ok(Math.abs(count - 1_000) < 167, `${quarters}`);
  assert.equal(quarters.length, 4);
});

test('numbers do not come again', () => {
  const drawn = new Set(Array.from({ length: 4_096 }, systemRandom));
  // Of 32 bits, two are alike in one of five hundred runs, six pairs in none.
  assert.ok(drawn.size > 4_090, `${drawn.size}`);
});
