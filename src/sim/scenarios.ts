/** What a swarm can go through. Each scenario builds a world, lets time pass, and looks at it. */
import { bytesPerSecond, randomInt } from '../units/index.ts';
import type { SimNode } from './sim-node.ts';
import { World } from './world.ts';

/** Lets a world of `seed` go through something; what it finds wrong is noted in the world. */
export type Scenario = (seed: number) => World;

const MINUTE_MS = 60_000;

/** A line as at home: a slow way out, some delay, some jitter. */
const HOME = { latencyMs: 30, jitterMs: 20, bytesPerSecond: 2_000_000 };

/** Every scenario by its name. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ['fairness', fairness],
  ['breaks', breaks],
  ['partition', partition],
  ['stalls', stalls],
  ['churn', churn],
  ['corruption', corruption],
  ['liars', liars],
  ['slow-readers', slowReaders],
  ['silence', silence],
  ['last-copy', lastCopy],
  ['magnet', magnet],
  ['everything', everything],
  ['crowd', crowd],
]);

/** Equal peers on equal lines: all finish at about the same time, and none is a freeloader. */
function fairness(seed: number): World {
  const world = new World({ seed, path: HOME });
  const uploadLimit = bytesPerSecond(100_000);
  world.add({ has: 'all', engine: { uploadLimit } });
  const leechers = world.addMany(8, { has: 'none', engine: { uploadLimit } });
  world.introduce();
  const start = world.clock.now;
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  const took = leechers.map((node) => (node.completeAt ?? Infinity) - start);
  const [fastest, slowest] = [Math.min(...took), Math.max(...took)];
  if (slowest > 3 * fastest) world.faults.push(`one took ${slowest} ms, another ${fastest}`);
  for (const { host, torrent } of leechers) {
    const share = (torrent?.sent.total ?? 0) / world.data.content.totalBytes;
    if (share < 0.2 || share > 3) world.faults.push(`${host} sent ${share.toFixed(2)} copies`);
  }
  return world;
}

/** Connections break at any byte, in the middle of messages and handshakes too. */
function breaks(seed: number): World {
  const world = new World({ seed, path: { ...HOME, lifetimeBytes: 200_000 } });
  world.addMany(2, { has: 'all' });
  const leechers = world.addMany(4, { has: 'none' });
  world.introduce();
  world.repeat(5_000, 20 * MINUTE_MS, () => world.introduce());
  world.runUntilComplete(leechers, 20 * MINUTE_MS);
  return world;
}

/** The swarm is cut in two, the only seed on one side; then it heals. */
function partition(seed: number): World {
  const world = new World({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  const seeder = world.add({ has: 'all' });
  const leechers = world.addMany(6, { has: 'none' });
  world.introduce();
  const near = leechers.slice(0, 3).map((node) => node.host);
  world.clock.after(1_500 + randomInt(world.random, 2_000), () =>
    world.network.partition([seeder.host, ...near], 30_000 + randomInt(world.random, 300_000)),
  );
  world.repeat(30_000, 30 * MINUTE_MS, () => world.introduce());
  world.runUntilComplete(leechers, 30 * MINUTE_MS);
  return world;
}

/** Every few seconds a host hears and says nothing for some seconds, and goes on as before. */
function stalls(seed: number): World {
  const world = new World({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  world.addMany(2, { has: 'all' });
  const leechers = world.addMany(5, { has: 'none' });
  world.introduce();
  world.repeat(1_000, 10 * MINUTE_MS, () => {
    const victim = world.nodes[randomInt(world.random, world.nodes.length)];
    if (victim) world.network.partition([victim.host], 500 + randomInt(world.random, 9_500));
  });
  world.runUntilComplete(leechers, 20 * MINUTE_MS);
  return world;
}

/** Peers close, crash, and come back with what they have; one seed stays. */
function churn(seed: number): World {
  const world = new World({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  world.add({ has: 'all' });
  const leechers = world.addMany(8, { has: 'none' });
  world.introduce();
  comeAndGo(world, leechers, 2 * MINUTE_MS);
  world.runUntilComplete(leechers, 20 * MINUTE_MS);
  return world;
}

/** Peers with all pieces, each spoiled: they are banned, and nobody else is. */
function corruption(seed: number): World {
  const world = new World({ seed, path: HOME, pieceLengthBytes: 64 * 1024 });
  world.addMany(2, { has: 'all' });
  world.addMany(3, { has: 'all', isCorrupting: true });
  const leechers = world.addMany(4, { has: 'none' });
  world.introduce();
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  if (leechers.every(({ bans }) => bans.length === 0)) world.faults.push('nobody was banned');
  return world;
}

/** Peers that announce what they do not have. */
function liars(seed: number): World {
  const world = new World({ seed, path: HOME });
  world.add({ has: 'all' });
  const leechers = world.addMany(3, { has: 'none' });
  world.introduce();
  for (const manner of ['liar', 'hoarder', 'liar', 'hoarder'] as const) {
    world.addStranger(manner, leechers);
  }
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  return world;
}

/** Peers that ask for much and read little hold up nobody. */
function slowReaders(seed: number): World {
  const world = new World({ seed, path: HOME });
  const seeder = world.add({ has: 'all' });
  for (let nth = 0; nth < 20; nth++) world.addStranger('slow-reader', [seeder]);
  const leechers = world.addMany(3, { has: 'none' });
  world.introduce();
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  for (const peer of seeder.torrent?.peers.values() ?? []) {
    const waiting = peer.upload.unsentBytes;
    if (waiting > 1_000_000) world.faults.push(`${waiting} bytes wait for a slow reader`);
  }
  return world;
}

/** Peers that say nothing, or nonsense. */
function silence(seed: number): World {
  const world = new World({ seed, path: HOME });
  const seeder = world.add({ has: 'all', engine: { connectionsMax: 20 } });
  const leechers = world.addMany(3, { has: 'none' });
  for (const manner of ['silent', 'mute', 'babbler'] as const) {
    for (let nth = 0; nth < 5; nth++) world.addStranger(manner, [seeder, ...leechers]);
  }
  world.introduce();
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  return world;
}

/** The only seed leaves as soon as one copy of every piece is out. */
function lastCopy(seed: number): World {
  const world = new World({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  const seeder = world.add({ has: 'all' });
  const leechers = world.addMany(6, { has: 'none' });
  const out = new Set<number>();
  for (const leecher of leechers) {
    leecher.onPiece = (piece) => {
      out.add(piece);
      // Not from within: the piece is still being told about.
      if (out.size === world.data.pieceCount) {
        world.clock.after(0, () => {
          if (seeder.isUp) seeder.crash();
        });
      }
    };
  }
  world.introduce();
  world.runUntilComplete(leechers, 20 * MINUTE_MS);
  if (seeder.isUp) world.faults.push('the seed never had to leave');
  return world;
}

/** Those who know only the info-hash get the metadata over lines that break. */
function magnet(seed: number): World {
  const world = new World({ seed, path: { ...HOME, lifetimeBytes: 300_000 } });
  world.add({ has: 'all' });
  const leechers = world.addMany(4, { has: 'none', isMagnet: true });
  world.introduce();
  world.addStranger('liar', leechers);
  world.repeat(5_000, 20 * MINUTE_MS, () => world.introduce());
  world.runUntilComplete(leechers, 20 * MINUTE_MS);
  return world;
}

/** All of it at once. */
function everything(seed: number): World {
  const path = { ...HOME, bytesPerSecond: 500_000, lifetimeBytes: 2_000_000 };
  const world = new World({ seed, path });
  const seeder = world.add({ has: 'all' });
  world.addMany(2, { has: 'all', isCorrupting: true });
  const leechers = world.addMany(8, { has: 'none' });
  world.introduce();
  const manners = ['liar', 'hoarder', 'silent', 'mute', 'slow-reader', 'babbler'] as const;
  for (const manner of manners) world.addStranger(manner, [seeder, ...leechers]);
  comeAndGo(world, leechers, 2 * MINUTE_MS);
  world.repeat(10_000, 2 * MINUTE_MS, () => {
    const victim = world.nodes[randomInt(world.random, world.nodes.length)];
    if (victim) world.network.partition([victim.host], randomInt(world.random, 20_000));
  });
  world.repeat(15_000, 30 * MINUTE_MS, () => world.introduce());
  world.runUntilComplete(leechers, 30 * MINUTE_MS);
  return world;
}

/** A thousand peers on a small torrent, each of whom knows thirty. */
function crowd(seed: number): World {
  const world = new World({ seed, path: HOME, pieceLengthBytes: 16384, totalBytes: 100_000 });
  world.addMany(5, { has: 'all' });
  const engine = { peersPerTorrentMax: 15 };
  const leechers = world.addMany(995, { has: 'none', engine });
  world.introduce(30);
  world.runUntilComplete(leechers, 10 * MINUTE_MS);
  return world;
}

/** For `durationMs` peers leave, one way or the other, and come back after some seconds. */
function comeAndGo(world: World, nodes: readonly SimNode[], durationMs: number): void {
  const { random, clock } = world;
  world.repeat(1_000, durationMs, () => {
    const node = nodes[randomInt(random, nodes.length)];
    if (!node?.isUp) return;
    if (random() < 0.5) node.stop();
    else node.crash();
    clock.after(1_000 + randomInt(random, 10_000), () => {
      if (world.isOver) return;
      node.start();
      world.announce(node, 20);
    });
  });
}
