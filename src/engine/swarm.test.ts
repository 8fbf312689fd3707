import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInt } from '../units/index.ts';
import { Swarm } from './testing/swarm.ts';

/** Seeds of the scenarios below; a failure names its own. */
const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

// Both dialled each other at once, each refused the other connection as a duplicate, for ever.
test('two peers that dial each other at the same time keep one connection', () => {
  for (const seed of SEEDS) {
    const swarm = new Swarm({ seed });
    swarm.add({ has: 'all' });
    const leecher = swarm.add({ has: 'none' });
    swarm.introduce();
    assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
  }
});

test('a swarm whose pieces are spread at random always completes', () => {
  for (const seed of SEEDS) {
    const swarm = new Swarm({ seed });
    const size = 3 + randomInt(swarm.random, 5);
    const owners = Array.from({ length: swarm.pieceCount }, () => randomInt(swarm.random, size));
    for (let nth = 0; nth < size; nth++) swarm.add({ has: (piece) => owners[piece] === nth });
    swarm.introduce();
    assert.ok(swarm.runUntilComplete(swarm.nodes, 300_000), swarm.describe());
  }
});
