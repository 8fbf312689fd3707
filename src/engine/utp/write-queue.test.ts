import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriteQueue } from './write-queue.ts';

/** The lengths of the packets that the queue's content makes. */
function packetLengths(queue: WriteQueue, roomBytes: number): readonly number[] {
  const lengths: number[] = [];
  while (queue.byteCount > 0) {
    const size = Math.min(queue.packetBytes, roomBytes);
    queue.fill(new Uint8Array(size), 0, (done) => done());
    lengths.push(size);
  }
  return lengths;
}

const parts = [68, 120, 1, 6, 9, 9, 9].map((length) => new Uint8Array(length));

test('who dials fills packets from the first on', () => {
  const queue = new WriteQueue(true);
  queue.push(parts, null);
  assert.deepEqual(packetLengths(queue, 1_000), [222]);
});

test('who is dialled sends the handshake and what follows in packets of their own', () => {
  const queue = new WriteQueue(false);
  queue.push(parts, null);
  assert.deepEqual(packetLengths(queue, 1_000), [68, 120, 1, 6, 27]);
});

test('a first part that is too long for a packet is one part still', () => {
  const queue = new WriteQueue(false);
  queue.push(parts, null);
  assert.deepEqual(packetLengths(queue, 50), [50, 18, 50, 50, 20, 1, 6, 27]);
});
