/** What a swarm can go through. Each scenario builds a swarm, lets time pass, and looks at it. */
import { bytesPerSecond, randomInt } from '../../units/index.ts';
import { addStranger } from '../stranger.ts';
import type { Swarm } from '../swarm.ts';
import { comeAndGo, HOME, MINUTE_MS, makeSwarm } from './stage.ts';

/** Lets a swarm of `seed` go through something; what it finds wrong is noted in the swarm. */
export type Scenario = (seed: number) => Swarm;

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
function fairness(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const uploadLimit = bytesPerSecond(100_000);
  swarm.add({ has: 'all', engine: { uploadLimit } });
  const leechers = swarm.addMany(8, { has: 'none', engine: { uploadLimit } });
  swarm.introduce();
  const start = swarm.clock.now;
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  const took = leechers.map((node) => (node.completeAt ?? Infinity) - start);
  const [fastest, slowest] = [Math.min(...took), Math.max(...took)];
  if (slowest > 3 * fastest) swarm.faults.push(`one took ${slowest} ms, another ${fastest}`);
  for (const { host, torrent } of leechers) {
    const share = torrent.sent.total / swarm.memory.content.totalBytes;
    if (share < 0.2 || share > 3) swarm.faults.push(`${host} sent ${share.toFixed(2)} copies`);
  }
  return swarm;
}

/** Connections break at any byte, in the middle of messages and handshakes too. */
function breaks(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, lifetimeBytes: 200_000 } });
  swarm.addMany(2, { has: 'all' });
  const leechers = swarm.addMany(4, { has: 'none' });
  swarm.introduce();
  swarm.repeat(5_000, 20 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** The swarm is cut in two, the only seed on one side; then it heals. */
function partition(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(6, { has: 'none' });
  swarm.introduce();
  const near = leechers.slice(0, 3).map((node) => node.host);
  swarm.clock.after(1_500 + randomInt(swarm.random, 2_000), () =>
    swarm.network.partition([seeder.host, ...near], 30_000 + randomInt(swarm.random, 300_000)),
  );
  swarm.repeat(30_000, 30 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 30 * MINUTE_MS);
  return swarm;
}

/** Every few seconds a host hears and says nothing for some seconds, and goes on as before. */
function stalls(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  swarm.addMany(2, { has: 'all' });
  const leechers = swarm.addMany(5, { has: 'none' });
  swarm.introduce();
  swarm.repeat(1_000, 10 * MINUTE_MS, () => {
    const victim = swarm.nodes[randomInt(swarm.random, swarm.nodes.length)];
    if (victim) swarm.network.partition([victim.host], 500 + randomInt(swarm.random, 9_500));
  });
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** Peers close, crash, and come back with what they have; one seed stays. */
function churn(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(8, { has: 'none' });
  swarm.introduce();
  comeAndGo(swarm, leechers, 2 * MINUTE_MS);
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** Peers with all pieces, each spoiled: they are banned, and nobody else is. */
function corruption(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, pieceLengthBytes: 64 * 1024 });
  swarm.addMany(2, { has: 'all' });
  swarm.addMany(3, { has: 'all', isCorrupting: true });
  const leechers = swarm.addMany(4, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  if (leechers.every(({ bans }) => bans.length === 0)) swarm.faults.push('nobody was banned');
  return swarm;
}

/** Peers that announce what they do not have. */
function liars(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(3, { has: 'none' });
  swarm.introduce();
  for (const manner of ['liar', 'hoarder', 'liar', 'hoarder'] as const) {
    addStranger(swarm, manner, leechers);
  }
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}

/** Peers that ask for much and read little hold up nobody. */
function slowReaders(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const seeder = swarm.add({ has: 'all' });
  for (let nth = 0; nth < 20; nth++) addStranger(swarm, 'slow-reader', [seeder]);
  const leechers = swarm.addMany(3, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  for (const peer of seeder.torrent.peers.values()) {
    const waiting = peer.upload.unsentBytes;
    if (waiting > 1_000_000) swarm.faults.push(`${waiting} bytes wait for a slow reader`);
  }
  return swarm;
}

/** Peers that say nothing, or nonsense. */
function silence(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const seeder = swarm.add({ has: 'all', engine: { connectionsMax: 20 } });
  const leechers = swarm.addMany(3, { has: 'none' });
  for (const manner of ['silent', 'mute', 'babbler'] as const) {
    for (let nth = 0; nth < 5; nth++) addStranger(swarm, manner, [seeder, ...leechers]);
  }
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}

/** The only seed leaves as soon as one copy of every piece is out. */
function lastCopy(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(6, { has: 'none' });
  const out = new Set<number>();
  for (const leecher of leechers) {
    leecher.onPiece = (piece) => {
      out.add(piece);
      // Not from within: the piece is still being told about.
      if (out.size === swarm.pieceCount) {
        swarm.clock.after(0, () => {
          if (seeder.isUp) seeder.crash();
        });
      }
    };
  }
  swarm.introduce();
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  if (seeder.isUp) swarm.faults.push('the seed never had to leave');
  return swarm;
}

/** Those who know only the info-hash get the metadata over lines that break. */
function magnet(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, lifetimeBytes: 300_000 } });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(4, { has: 'none', isMagnet: true });
  swarm.introduce();
  addStranger(swarm, 'liar', leechers);
  swarm.repeat(5_000, 20 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** All of it at once. */
function everything(seed: number): Swarm {
  const path = { ...HOME, bytesPerSecond: 500_000, lifetimeBytes: 2_000_000 };
  const swarm = makeSwarm({ seed, path });
  const seeder = swarm.add({ has: 'all' });
  swarm.addMany(2, { has: 'all', isCorrupting: true });
  const leechers = swarm.addMany(8, { has: 'none' });
  swarm.introduce();
  const manners = ['liar', 'hoarder', 'silent', 'mute', 'slow-reader', 'babbler'] as const;
  for (const manner of manners) addStranger(swarm, manner, [seeder, ...leechers]);
  comeAndGo(swarm, leechers, 2 * MINUTE_MS);
  swarm.repeat(10_000, 2 * MINUTE_MS, () => {
    const victim = swarm.nodes[randomInt(swarm.random, swarm.nodes.length)];
    if (victim) swarm.network.partition([victim.host], randomInt(swarm.random, 20_000));
  });
  swarm.repeat(15_000, 30 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 30 * MINUTE_MS);
  return swarm;
}

/** A thousand peers on a small torrent, each of whom knows thirty. */
function crowd(seed: number): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, pieceLengthBytes: 16384, totalBytes: 100_000 });
  swarm.addMany(5, { has: 'all' });
  const engine = { peersPerTorrentMax: 15 };
  const leechers = swarm.addMany(995, { has: 'none', engine });
  for (const node of swarm.nodes) swarm.announce(node, 30);
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}
