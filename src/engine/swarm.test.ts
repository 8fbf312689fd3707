import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Swarm, type SwarmNode } from '../sim/index.ts';
import { bytesPerSecond, randomInt, UNLIMITED } from '../units/index.ts';
import type { UploadPolicy } from './index.ts';

/** Seeds of the scenarios below; a failure names its own. */
const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** Runs a scenario once per seed. */
function scenario(name: string, run: (seed: number) => void): void {
  test(name, () => {
    for (const seed of SEEDS) run(seed);
  });
}

function assertCompletes(swarm: Swarm, nodes: readonly SwarmNode[], durationMs: number): void {
  assert.ok(swarm.runUntilComplete(nodes, durationMs), swarm.describe());
}

// Both dialled each other at once, each refused the other connection as a duplicate, for ever.
scenario('two peers that dial each other at the same time keep one connection', (seed) => {
  const swarm = new Swarm({ seed });
  const seeder = swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(3_000, () => leecher.torrent.peers.size > 0);
  swarm.clock.run(50);
  assert.ok(seeder.torrent.peers.size <= 1 && leecher.torrent.peers.size <= 1, swarm.describe());
  assertCompletes(swarm, [leecher], 60_000);
});

scenario('a swarm whose pieces are spread at random always completes', (seed) => {
  const swarm = new Swarm({ seed });
  const size = 3 + randomInt(swarm.random, 5);
  const owners = Array.from({ length: swarm.pieceCount }, () => randomInt(swarm.random, size));
  for (let nth = 0; nth < size; nth++) swarm.add({ has: (piece) => owners[piece] === nth });
  swarm.introduce();
  assertCompletes(swarm, swarm.nodes, 300_000);
});

scenario('nobody sends what is not needed: duplicates stay below a twentieth', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 4_000_000 });
  for (let nth = 0; nth < 3; nth++) swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  assertCompletes(swarm, [leecher], 60_000);
  const { receivedBytes, totalBytes } = leecher.torrent.snapshot();
  assert.ok(receivedBytes >= totalBytes && receivedBytes < totalBytes * 1.05, `${receivedBytes}`);
});

scenario('a magnet becomes a download, and the one who fetched it can pass it on', (seed) => {
  const swarm = new Swarm({ seed });
  const seeder = swarm.add({ has: 'all' });
  const first = swarm.add({ has: 'none', isMagnet: true });
  swarm.introduce([seeder, first]);
  assertCompletes(swarm, [first], 60_000);
  const second = swarm.add({ has: 'none', isMagnet: true });
  seeder.crash();
  swarm.introduce([first, second]);
  assertCompletes(swarm, [second], 60_000);
});

// The pieces were never announced to peers that had connected before the metadata came.
scenario('pieces on the disk of a magnet are announced to those already connected', (seed) => {
  const swarm = new Swarm({ seed });
  const half = swarm.add({ has: (piece) => piece % 2 === 0, isMagnet: true });
  const other = swarm.add({ has: (piece) => piece % 2 === 1 });
  swarm.introduce();
  assertCompletes(swarm, [half, other], 60_000);
});

scenario('a corrupting peer is banned and everybody completes', (seed) => {
  const swarm = new Swarm({ seed });
  const honest = swarm.add({ has: 'all' });
  const liar = swarm.add({ has: 'all' });
  liar.store.spoil = (_, into) => {
    into[randomInt(swarm.random, into.length)] = swarm.random() * 256;
  };
  const leechers = [swarm.add({ has: 'none' }), swarm.add({ has: 'none' })];
  swarm.introduce();
  assertCompletes(swarm, leechers, 300_000);
  for (const { bans } of swarm.nodes) {
    assert.ok(!bans.includes(honest.host), swarm.describe());
    for (const leecher of leechers) assert.ok(!bans.includes(leecher.host), swarm.describe());
  }
  for (const { bans } of leechers) assert.deepEqual(bans, [liar.host], swarm.describe());
});

// Large pieces are fetched from several peers at once, so one bad block accuses all of them.
scenario('who spoils pieces that several peers give is found, and nobody else', (seed) => {
  const swarm = new Swarm({ seed, pieceLengthBytes: 256 * 1024, totalBytes: 4_000_000 });
  for (let nth = 0; nth < 3; nth++) swarm.add({ has: 'all' });
  const liar = swarm.add({ has: 'all' });
  liar.store.spoil = (_, into) => {
    into[0] = (into[0] ?? 0) ^ 1;
  };
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  assertCompletes(swarm, [leecher], 300_000);
  assert.deepEqual(leecher.bans, [liar.host], swarm.describe());
});

// As long as two give it together, neither can be found guilty.
scenario(
  'a piece that failed is fetched from one peer alone, who answers for all of it',
  (seed) => {
    const length = 1024 * 1024;
    const swarm = new Swarm({ seed, pieceLengthBytes: length, totalBytes: length });
    const liars = swarm.addMany(2, { has: 'all', isCorrupting: true });
    const leecher = swarm.add({ has: 'none' });
    swarm.introduce();
    swarm.clock.run(120_000, () => leecher.bans.length === 2);
    assert.deepEqual(leecher.bans.toSorted(), liars.map(({ host }) => host).toSorted());
    // Once of both, then once of each.
    assert.equal(leecher.torrent.snapshot().failedPieces, 3);
  },
);

scenario('peers that vanish leave nothing undone', (seed) => {
  const swarm = new Swarm({ seed, path: { bytesPerSecond: 100_000 } });
  const keeper = swarm.add({ has: 'all' });
  const mortals = Array.from({ length: 4 }, () => swarm.add({ has: 'all' }));
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  for (const mortal of mortals) {
    swarm.clock.after(500 + swarm.random() * 3_000, () => mortal.crash());
  }
  assertCompletes(swarm, [leecher], 120_000);
  assert.equal(keeper.bans.length, 0);
});

scenario('peers that fall silent lose their requests to others', (seed) => {
  const swarm = new Swarm({ seed, path: { bytesPerSecond: 100_000 } });
  swarm.add({ has: 'all' });
  const stuck = [swarm.add({ has: 'all' }), swarm.add({ has: 'all' })];
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  for (const node of stuck) {
    swarm.clock.after(500 + swarm.random() * 1_000, () => {
      node.store.isStuck = true;
    });
  }
  assertCompletes(swarm, [leecher], 90_000);
});

scenario('peers that choke at random only slow things down', (seed) => {
  const swarm = new Swarm({ seed, path: { bytesPerSecond: 500_000 } });
  const moody: UploadPolicy = {
    allot: ({ candidates, random }) =>
      candidates
        .filter(() => random() < 0.5)
        .map(({ peerKey }) => ({ peerKey, weight: 1 + randomInt(random, 9) })),
  };
  for (let nth = 0; nth < 3; nth++) {
    const node = swarm.add({
      has: (piece) => piece % 3 === nth,
      deps: { uploadPolicy: moody },
    });
    const nag = (): void => {
      node.engine.requestRechoke();
      swarm.clock.after(300, nag);
    };
    nag();
  }
  swarm.introduce();
  assertCompletes(swarm, swarm.nodes, 300_000);
});

// Pieces that were begun with peers who left held all the memory, and nothing new was begun.
scenario('half-fetched pieces nobody else has do not stop the others', (seed) => {
  const engine = { slabBytes: 4 * 64 * 1024 };
  const swarm = new Swarm({ seed, pieceLengthBytes: 64 * 1024, path: { bytesPerSecond: 50_000 } });
  const first = swarm.add({ has: (piece) => piece < 8 });
  const leecher = swarm.add({ has: 'none', engine });
  swarm.introduce();
  swarm.clock.run(2_500);
  assert.ok(leecher.torrent.work && leecher.torrent.work.picker.partials.size > 0);
  first.crash();
  const second = swarm.add({ has: (piece) => piece >= 8 });
  swarm.introduce([leecher, second]);
  const isThere = (): boolean => {
    const have = leecher.torrent.work?.have;
    return have !== undefined && have.count >= swarm.pieceCount - 8;
  };
  assert.ok(swarm.clock.run(60_000, isThere), swarm.describe());
});

// All memory was on its way to the disk, and the peer was asked again at the next tick only.
scenario('a download goes on when the disk gives memory back, and not some time later', (seed) => {
  const engine = { slabBytes: 4 * 64 * 1024 };
  const path = { bytesPerSecond: 100_000_000, latencyMs: 1 };
  const swarm = new Swarm({ seed, pieceLengthBytes: 64 * 1024, totalBytes: 64 * 64 * 1024, path });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none', engine });
  leecher.store.writeMs = 8;
  swarm.introduce();
  swarm.clock.run(5_000, () => leecher.torrent.work?.have.count === 4);
  const begun = swarm.clock.now;
  assertCompletes(swarm, [leecher], 5_000);
  assert.ok(swarm.clock.now - begun < 600, `it took ${swarm.clock.now - begun} ms`);
});

scenario(
  'a full disk stops the torrent with the reason, and no wrong piece is believed',
  (seed) => {
    const swarm = new Swarm({ seed });
    swarm.add({ has: 'all' });
    const leecher = swarm.add({ has: 'none' });
    swarm.introduce();
    leecher.store.failure = new Error('the disk is full');
    swarm.clock.run(10_000);
    assert.equal(leecher.torrent.phase, 'failed');
    assert.deepEqual(leecher.failures, [leecher.store.failure]);
    assert.equal(leecher.torrent.work?.have.count, 0);
  },
);

scenario('a download limit is kept to within a tenth', (seed) => {
  const limit = 200_000;
  const swarm = new Swarm({ seed, totalBytes: 4_000_000 });
  swarm.add({ has: 'all' });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none', engine: { downloadLimit: bytesPerSecond(limit) } });
  swarm.introduce();
  swarm.clock.run(2_000);
  const before = leecher.torrent.received.total;
  swarm.clock.run(10_000);
  const rate = (leecher.torrent.received.total - before) / 10;
  assert.ok(Math.abs(rate - limit) < limit / 10, `seed ${seed}: ${rate} B/s`);
});

// What had been received before was charged to the new limit, and reading stopped for minutes.
// And a limit that was lifted while reading was paused left it paused.
scenario('a download limit holds from when it is set until it is lifted', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 8_000_000, path: { bytesPerSecond: 1_000_000 } });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(3_000);
  leecher.engine.limit({ download: bytesPerSecond(100_000) });
  const before = leecher.torrent.received.total;
  assert.ok(before > 1_000_000);
  swarm.clock.run(10_000);
  const taken = leecher.torrent.received.total - before;
  assert.ok(taken > 500_000 && taken < 1_600_000, `seed ${seed}: ${taken} bytes in 10 s`);
  leecher.engine.limit({ download: UNLIMITED });
  assertCompletes(swarm, [leecher], 15_000);
});

scenario('an upload limit is kept to within a tenth, without long silences', (seed) => {
  const limit = 50_000;
  const engine = { uploadLimit: bytesPerSecond(limit) };
  const swarm = new Swarm({ seed, totalBytes: 2_000_000 });
  const seeder = swarm.add({ has: 'all', engine });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(1_000);
  let last = leecher.torrent.received.total;
  const start = last;
  for (let second = 0; second < 20; second += 2) {
    swarm.clock.run(2_000);
    const now = leecher.torrent.received.total;
    assert.ok(now > last, `seed ${seed}: silence around ${second} s`);
    last = now;
  }
  const rate = (last - start) / 20;
  assert.ok(Math.abs(rate - limit) < limit / 5, `seed ${seed}: ${rate} B/s`);
  assert.ok(seeder.torrent.sent.total >= last);
});

scenario('upload follows the weights of the policy', (seed) => {
  const weights = new Map<string, number>();
  const policy: UploadPolicy = {
    allot: ({ candidates }) =>
      candidates.map(({ peerKey, remoteHost }) => ({
        peerKey,
        weight: weights.get(remoteHost) ?? 1,
      })),
  };
  const swarm = new Swarm({ seed, totalBytes: 6_000_000 });
  const engine = { uploadLimit: bytesPerSecond(300_000) };
  const seeder = swarm.add({ has: 'all', engine, deps: { uploadPolicy: policy } });
  const takers = [1, 2, 4].map((weight) => {
    const taker = swarm.add({ has: 'none' });
    weights.set(taker.host, weight);
    swarm.introduce([seeder, taker]);
    return { taker, weight };
  });
  swarm.clock.run(2_000);
  const before = takers.map(({ taker }) => taker.torrent.received.total);
  swarm.clock.run(15_000);
  const got = takers.map(({ taker }, nth) => taker.torrent.received.total - (before[nth] ?? 0));
  const all = got.reduce((sum, size) => sum + size, 0);
  for (const [nth, { weight }] of takers.entries()) {
    const share = (got[nth] ?? 0) / all;
    assert.ok(Math.abs(share - weight / 7) < 0.05, `seed ${seed}: weight ${weight} got ${share}`);
  }
});

scenario('a run is the same again from the same seed', (seed) => {
  const run = (): number => {
    const swarm = new Swarm({ seed });
    swarm.add({ has: 'all' });
    swarm.add({ has: 'all' });
    const leecher = swarm.add({ has: 'none' });
    swarm.introduce();
    assertCompletes(swarm, [leecher], 60_000);
    return leecher.completeAt ?? 0;
  };
  assert.equal(run(), run());
});
