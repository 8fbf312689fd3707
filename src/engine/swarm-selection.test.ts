import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '@noble/hashes/legacy.js';
import { Swarm, type SwarmNode } from '../sim/index.ts';
import { bytesPerSecond, instant } from '../units/index.ts';
import { ALLOWED_FAST_COUNT, allowedFastSet } from './allowed-fast.ts';

/** Seeds of the scenarios below; a failure names its own. */
const SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** Runs a scenario once per seed. */
function scenario(name: string, run: (seed: number) => void): void {
  test(name, () => {
    for (const seed of SEEDS) run(seed);
  });
}

function byIndex(pieces: readonly number[]): readonly number[] {
  return [...pieces].sort((a, b) => a - b);
}

/** Levels that leave out all but `wanted`. */
function only(swarm: Swarm, wanted: (piece: number) => boolean): Uint8Array {
  return new Uint8Array(swarm.pieceCount).map((_, piece) => (wanted(piece) ? 4 : 0));
}

/** What came to a leecher of one seed, without what it was given while it was choked (BEP 6). */
function unforced(swarm: Swarm, { host, pieces }: SwarmNode): readonly number[] {
  const { pieceCount, memory } = swarm;
  const forced = allowedFastSet(
    { host, infoHash: memory.infoHash, pieceCount, count: ALLOWED_FAST_COUNT },
    sha1,
  );
  return pieces.filter((piece) => !forced.includes(piece));
}

function runUntil(swarm: Swarm, durationMs: number, isDone: () => boolean): void {
  assert.ok(swarm.clock.run(durationMs, isDone), swarm.describe());
}

function indexes(swarm: Swarm): readonly number[] {
  return Array.from({ length: swarm.pieceCount }, (_, piece) => piece);
}

scenario('what is not selected is not asked for, and the torrent is finished', (seed) => {
  const swarm = new Swarm({ seed });
  const seeder = swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.prioritise(only(swarm, (piece) => piece % 3 === 0));
  swarm.introduce();
  runUntil(swarm, 60_000, () => leecher.completeAt !== null);
  const wanted = indexes(swarm).filter((piece) => piece % 3 === 0);
  assert.deepEqual(byIndex(leecher.pieces), wanted);
  const { phase, remainingBytes, wantedBytes, receivedBytes } = leecher.torrent.snapshot();
  assert.deepEqual([phase, remainingBytes, receivedBytes], ['finished', 0, wantedBytes]);
  assert.equal(leecher.torrent.remainingBytes, 0);
  // A seed and a peer that wants nothing have no use for each other.
  swarm.clock.run(1_000);
  assert.equal(seeder.torrent.peers.size, 0, swarm.describe());
});

scenario('a selection made before the metadata holds from the first block', (seed) => {
  const swarm = new Swarm({ seed });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none', isMagnet: true });
  leecher.torrent.prioritise(only(swarm, (piece) => piece === 7));
  swarm.introduce();
  runUntil(swarm, 60_000, () => leecher.completeAt !== null);
  assert.deepEqual(leecher.pieces, [7]);
});

scenario('wanting more after it was finished goes on with the peers of before', (seed) => {
  const swarm = new Swarm({ seed });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.prioritise(only(swarm, (piece) => piece < 4));
  swarm.introduce();
  runUntil(swarm, 60_000, () => leecher.completeAt !== null);
  swarm.clock.run(5_000);
  leecher.completeAt = null;
  leecher.torrent.prioritise(only(swarm, () => true));
  assert.equal(leecher.torrent.phase, 'downloading');
  assert.ok(swarm.runUntilComplete([leecher], 30_000), swarm.describe());
  assert.equal(leecher.torrent.phase, 'seeding');
});

scenario('who is finished serves what it has, and interests nobody by the rest', (seed) => {
  const swarm = new Swarm({ seed });
  const halves = [0, 1].map((part) => {
    const node = swarm.add({ has: (piece) => piece % 2 === part });
    node.torrent.prioritise(only(swarm, (piece) => piece % 2 === part));
    return node;
  });
  assert.ok(halves.every(({ torrent }) => torrent.phase === 'finished'));
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
  assert.ok(halves.every(({ pieces }) => pieces.length === 0));
});

scenario('wanting less while downloading ends it as soon as that is here', (seed) => {
  const swarm = new Swarm({ seed, path: { bytesPerSecond: 200_000 } });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(1_500);
  const before = leecher.pieces.length;
  assert.ok(before > 0 && before < swarm.pieceCount);
  const here = new Set(leecher.pieces);
  leecher.torrent.prioritise(only(swarm, (piece) => here.has(piece)));
  assert.equal(leecher.torrent.phase, 'finished');
  assert.notEqual(leecher.completeAt, null);
  swarm.clock.run(30_000);
  assert.ok(leecher.pieces.length < swarm.pieceCount, swarm.describe());
  assert.equal(leecher.torrent.work?.picker.partials.size, 0);
});

// Who counts wrong what a peer has for us waits for ever, or asks for nothing.
scenario('however often the selection changes, what is wanted in the end comes', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 3_000_000, path: { bytesPerSecond: 200_000 } });
  swarm.add({ has: 'all' });
  swarm.add({ has: (piece) => piece % 2 === 0 });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  for (let nth = 0; nth < 20; nth++) {
    const levels = new Uint8Array(swarm.pieceCount).map(() => swarm.random() * 8);
    leecher.torrent.prioritise(levels);
    swarm.clock.run(150);
    for (const { download } of leecher.torrent.peers.values()) {
      const { work } = leecher.torrent;
      const lacked = indexes(swarm).filter((piece) => work?.selection.isMissing(piece));
      const { pieces } = download;
      assert.equal(pieces.interestingCount, lacked.filter((piece) => pieces.has(piece)).length);
    }
  }
  leecher.completeAt = null;
  leecher.torrent.prioritise(only(swarm, () => true));
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
});

scenario('the highest priority comes first', (seed) => {
  const swarm = new Swarm({ seed });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  const levels = new Uint8Array(swarm.pieceCount).map((_, piece) => 1 + (piece % 3) * 3);
  leecher.torrent.prioritise(levels);
  swarm.introduce();
  runUntil(swarm, 60_000, () => leecher.completeAt !== null);
  const order = unforced(swarm, leecher).map((piece) => levels[piece] ?? 0);
  assert.deepEqual(order, byIndex(order).toReversed());
});

scenario('in sequential mode pieces of one peer come by index', (seed) => {
  const swarm = new Swarm({ seed });
  swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.isSequential = true;
  swarm.introduce();
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
  const pieces = unforced(swarm, leecher);
  assert.deepEqual(pieces, byIndex(pieces));
});

scenario('in sequential mode several peers keep close to the front', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 4_000_000, path: { bytesPerSecond: 300_000 } });
  for (let nth = 0; nth < 4; nth++) swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.isSequential = true;
  swarm.introduce();
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
  const ahead = unforced(swarm, leecher).map((piece, nth) => Math.abs(piece - nth));
  // Four pipelines of two seconds are 150 blocks, two to a piece.
  assert.ok(Math.max(...ahead) < 75, `seed ${seed}: ${Math.max(...ahead)} pieces ahead`);
});

function timesOf(swarm: Swarm, node: SwarmNode, pieces: readonly number[]): number {
  const start = swarm.clock.now;
  runUntil(swarm, 60_000, () => pieces.every((piece) => node.pieces.includes(piece)));
  return swarm.clock.now - start;
}

scenario('pieces with a deadline come before all others', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 8_000_000, path: { bytesPerSecond: 500_000 } });
  for (let nth = 0; nth < 3; nth++) swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(3_000);
  const missing = indexes(swarm).filter(
    (piece) => !leecher.torrent.work?.have.has(piece) && !leecher.pieces.includes(piece),
  );
  const urgent = missing.slice(-6);
  const { now } = swarm.clock;
  leecher.torrent.setDeadlines(
    urgent.map((piece, nth) => ({ piece, at: instant(now + 1_000 + nth * 200) })),
  );
  const tookMs = timesOf(swarm, leecher, urgent);
  // 196 kB at 1.5 MB/s, behind pipelines of two seconds that were full already.
  assert.ok(tookMs < 3_000, `seed ${seed}: ${tookMs} ms`);
  assert.equal(leecher.torrent.work?.picker.isUrgent, false);
  assert.ok(swarm.runUntilComplete([leecher], 60_000), swarm.describe());
});

scenario('a piece that a slow peer would bring late comes from a fast one in time', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 12_000_000, path: { bytesPerSecond: 1_000_000 } });
  swarm.add({ has: 'all', engine: { uploadLimit: bytesPerSecond(500_000) } });
  for (let nth = 0; nth < 3; nth++) {
    swarm.add({ has: 'all', engine: { uploadLimit: bytesPerSecond(8_000) } });
  }
  const leecher = swarm.add({ has: 'none' });
  leecher.torrent.prioritise(new Uint8Array(swarm.pieceCount).fill(4));
  swarm.introduce();
  swarm.clock.run(2_500);
  // What the slow ones were asked for, at 16 blocks of 8 kB/s each, would take half a minute.
  const open = [...(leecher.torrent.work?.picker.partials.keys() ?? [])];
  const { now } = swarm.clock;
  leecher.torrent.setDeadlines(open.map((piece) => ({ piece, at: instant(now + 500) })));
  const tookMs = timesOf(swarm, leecher, open);
  // 1.9 MB at 500 kB/s, and at most two blocks of a slow peer's.
  assert.ok(tookMs < 8_000, `seed ${seed}: ${tookMs} ms for ${open.length} pieces`);
});

scenario('a peer that falls silent holds no urgent piece back', (seed) => {
  const swarm = new Swarm({ seed, totalBytes: 4_000_000, path: { bytesPerSecond: 300_000 } });
  swarm.add({ has: 'all' });
  const stuck = swarm.add({ has: 'all' });
  const leecher = swarm.add({ has: 'none' });
  swarm.introduce();
  swarm.clock.run(2_000);
  stuck.store.isStuck = true;
  swarm.clock.run(100);
  const open = [...(leecher.torrent.work?.picker.partials.keys() ?? [])];
  assert.ok(open.length > 0);
  const { now } = swarm.clock;
  leecher.torrent.setDeadlines(open.map((piece) => ({ piece, at: instant(now + 1_000) })));
  const tookMs = timesOf(swarm, leecher, open);
  // Without deadlines it would take the twenty seconds after which a peer counts as snubbed.
  assert.ok(tookMs < 6_000, `seed ${seed}: ${tookMs} ms for ${open.length} pieces`);
});
