import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PendingRequests } from './pending-requests.ts';

test('requests are kept in the order they were made', () => {
  const pending = new PendingRequests();
  for (const key of [7, 3, 9, 3 + 2 ** 40]) pending.add(key, key + 1);
  assert.deepEqual([...pending.keys()], [7, 3, 9, 3 + 2 ** 40]);
  assert.equal(pending.delete(3), true);
  assert.equal(pending.delete(3), false);
  assert.equal(pending.add(3, 5), true);
  assert.equal(pending.add(3, 6), false);
  assert.deepEqual([...pending.keys()], [7, 9, 3 + 2 ** 40, 3]);
  assert.equal(pending.get(3), 5);
  assert.equal(pending.get(4), undefined);
});

test('a request may be deleted while it is looked at', () => {
  const pending = new PendingRequests();
  for (let key = 0; key < 100; key++) pending.add(key, 0);
  for (const key of pending.keys()) if (key % 2 === 0) pending.delete(key);
  assert.equal(pending.size, 50);
  assert.deepEqual([...pending.keys()].slice(0, 3), [1, 3, 5]);
});

test('it keeps what a Map keeps', () => {
  const key = fc.integer({ min: 0, max: 60 }).map((nth) => nth * 16 + (nth % 3) * 2 ** 33);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('add'), key, fc.nat(9)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('delete'), key, fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('clear'), key, fc.constant(0)) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [pending, map] = [new PendingRequests(), new Map<number, number>()];
      for (const [what, key, tag] of steps) {
        if (what === 'add') {
          assert.equal(pending.add(key, tag), !map.has(key));
          if (!map.has(key)) map.set(key, tag);
        } else if (what === 'delete') {
          assert.equal(pending.delete(key), map.delete(key));
        } else {
          pending.clear();
          map.clear();
        }
        assert.equal(pending.size, map.size);
      }
      assert.deepEqual([...pending.keys()], [...map.keys()]);
      for (const key of map.keys()) {
        assert.equal(pending.get(key), map.get(key));
        assert.ok(pending.has(key));
      }
    }),
    { numRuns: 1000 },
  );
});

// A remote chooses the numbers in a reject: they need not be those of any block.
test('numbers that are no block are not there', () => {
  const pending = new PendingRequests();
  pending.add(1, 0);
  for (const key of [0.5, -1, Number.NaN, Infinity]) {
    assert.equal(pending.has(key), false);
    assert.equal(pending.delete(key), false);
  }
});
