import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** The third of four inputs leaves an error behind that nobody listens for, after it was read. */
const ATTACK = `
  import { setImmediate as turn } from 'node:timers/promises';
  import { parentPort } from 'node:worker_threads';
  import { attack } from ${JSON.stringify(import.meta.resolve('./attack.ts'))};
  const corpus = [1, 2, 3, 4].map((byte) => Uint8Array.of(byte));
  const read = async ([byte]) => {
    if (byte === 3) setImmediate(() => setImmediate(() => { throw new Error('too late'); }));
    await turn();
  };
  parentPort.postMessage(await attack({ name: 'late', corpus, read }, { seed: 1, count: 4 }));
`;

test('an error that nobody listens for is told with the input that it came from', async () => {
  // In a thread of its own: here the runner of the tests listens.
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(ATTACK)}`));
  const [{ harm, inputCount }] = await once(worker, 'message');
  assert.deepEqual(harm.input, Uint8Array.of(3));
  assert.match(harm.what, /^nobody listened for: Error: too late/);
  assert.equal(inputCount, 4);
});
