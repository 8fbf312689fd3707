import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, MIB } from '../units/index.ts';
import { GRACE_POOL_BYTES, LOSS_BYTES_MAX, MEMORY_ENTRIES_MAX, MEMORY_MS } from './limits.ts';
import { GraceBook, LossBook } from './memory.ts';

const NOW = instant(1000);
const claim = (identity: string, prefix: string) => ({ identity, prefix });

test('an identity, and a network, gets its grace once', () => {
  const book = new GraceBook(MIB);
  assert.equal(book.take(claim('a', 'net'), NOW), MIB);
  assert.equal(book.take(claim('a', 'other'), NOW), 0);
  assert.equal(book.take(claim('b', 'net'), NOW), 0);
  assert.equal(book.take(claim('b', 'third'), NOW), MIB);
});

test('grace that was paid for can be had again, and so can forgotten one', () => {
  const book = new GraceBook(MIB);
  book.take(claim('a', 'net'), NOW);
  book.giveBack(claim('a', 'net'), MIB, NOW);
  assert.equal(book.take(claim('a', 'net'), NOW), MIB);
  assert.equal(book.take(claim('a', 'net'), instant(NOW + MEMORY_MS)), MIB);
});

test('grace in all stays within the pool and two in a hundred of the upload', () => {
  const book = new GraceBook(MIB);
  let given = 0;
  for (let at = 0; at < 1000; at++) given += book.take(claim(`i${at}`, `p${at}`), NOW);
  assert.equal(given, GRACE_POOL_BYTES);
  book.onUploaded(100 * MIB);
  assert.equal(book.take(claim('late', 'late'), NOW), MIB);
  assert.equal(book.outstandingBytes, GRACE_POOL_BYTES + MIB);
});

test('debts left behind stop credit until they fade or are outweighed by payment', () => {
  const book = new LossBook();
  book.onLost('payer', LOSS_BYTES_MAX, NOW);
  assert.equal(book.isOverdrawn('payer', NOW), false);
  book.onLost('payer', 1, NOW);
  assert.equal(book.isOverdrawn('payer', NOW), true);
  assert.equal(book.isOverdrawn('other', NOW), false);
  book.onPaid('payer', 100, NOW);
  assert.equal(book.isOverdrawn('payer', NOW), false);
  book.onLost('payer', 100, NOW);
  assert.equal(book.isOverdrawn('payer', instant(NOW + MEMORY_MS)), false);
});

test('a million strangers are not remembered', () => {
  const book = new LossBook();
  book.onLost('first', 2 * LOSS_BYTES_MAX, NOW);
  for (let at = 0; at < MEMORY_ENTRIES_MAX; at++) book.onLost(`p${at}`, 1, NOW);
  assert.equal(book.isOverdrawn('first', NOW), false);
});
