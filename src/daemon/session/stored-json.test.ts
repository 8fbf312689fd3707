import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseError } from '../../platform/database/index.ts';
import { readPeers, readPriorities, readTiers } from './index.ts';

test('lists are read back as they were stored', () => {
  assert.deepEqual(readTiers('[["http://a/announce","udp://b:1"],[]]'), [
    ['http://a/announce', 'udp://b:1'],
    [],
  ]);
  assert.deepEqual(readPeers('[{"host":"192.0.2.1","port":65535}]'), [
    { host: '192.0.2.1', port: 65_535 },
  ]);
  assert.deepEqual(readPriorities('[0,4,7]'), [0, 4, 7]);
  assert.equal(readPriorities(null), null);
});

// They were taken for granted: torn JSON ended the start of a node with a SyntaxError.
test('a damaged list is named as a damaged file, not by the parser', () => {
  const damaged: readonly (() => unknown)[] = [
    () => readTiers('[["http://a/annou'),
    () => readTiers('[[5]]'),
    () => readTiers('null'),
    () => readPeers('[{"host":"192.0.2.1","port":65536}]'),
    () => readPeers('[null]'),
    () => readPriorities('[8]'),
    () => readPriorities('{}'),
  ];
  for (const read of damaged) {
    assert.throws(
      read,
      (failure) => failure instanceof DatabaseError && failure.code === 'DATABASE_CORRUPT',
    );
  }
});
