/** Swarms on lines that are slow, lossy, broken or cut, and whose members come and go. */
import { bytesPerSecond, randomInt } from '../../units/index.ts';
import { addStranger } from '../stranger.ts';
import type { Swarm } from '../swarm.ts';
import { comeAndGo, HOME, MINUTE_MS, makeSwarm, type ScenarioTerms } from './stage.ts';

/** Equal peers on equal lines: all finish at about the same time, and none is a freeloader. */
export function fairness({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const uploadLimit = bytesPerSecond(100_000);
  swarm.add({ has: 'all', engine: { uploadLimit } });
  const leechers = swarm.addMany(peers, { has: 'none', engine: { uploadLimit } });
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
export function breaks({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, lifetimeBytes: 200_000 } });
  swarm.addMany(2, { has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.repeat(5_000, 20 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** The swarm is cut in two, the only seed on one side; then it heals. */
export function partition({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  const near = leechers.slice(0, Math.ceil(peers / 2)).map((node) => node.host);
  swarm.clock.after(1_500 + randomInt(swarm.random, 2_000), () =>
    swarm.network.partition([seeder.host, ...near], 30_000 + randomInt(swarm.random, 300_000)),
  );
  swarm.repeat(30_000, 30 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 30 * MINUTE_MS);
  return swarm;
}

/** Every few seconds a host hears and says nothing for some seconds, and goes on as before. */
export function stalls({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  swarm.addMany(2, { has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.repeat(1_000, 10 * MINUTE_MS, () => {
    const victim = swarm.nodes[randomInt(swarm.random, swarm.nodes.length)];
    if (victim) swarm.network.partition([victim.host], 500 + randomInt(swarm.random, 9_500));
  });
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** Peers close, crash, and come back with what they have; one seed stays. */
export function churn({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 60_000 } });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  comeAndGo(swarm, leechers, 2 * MINUTE_MS);
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** Datagrams are lost, doubled and late under uTP; what comes out is right all the same. */
export function loss({ seed, peers }: ScenarioTerms): Swarm {
  const way = { latencyMs: 40, jitterMs: 30, loss: 0.03, doubling: 0.01 };
  const swarm = makeSwarm({ seed, datagrams: way, totalBytes: 300_000 });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** Three kilobytes a second and three seconds to answer: slow, and hardly anything comes twice. */
export function slowLine({ seed, peers }: ScenarioTerms): Swarm {
  const path = { latencyMs: 1_500, jitterMs: 500, bytesPerSecond: 3_000 };
  const swarm = makeSwarm({ seed, path, totalBytes: 150_000 });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 60 * MINUTE_MS);
  for (const { host, receivedBytes } of leechers) {
    const copies = receivedBytes / swarm.memory.content.totalBytes;
    if (copies > 1.5) swarm.faults.push(`${host} received ${copies.toFixed(2)} copies`);
  }
  return swarm;
}

/** All seeds leave before anybody has a whole copy, and come back after a while. */
export function seedsLeave({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 100_000 } });
  const seeders = swarm.addMany(2, { has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  const isHalf = (): boolean => leechers.some(({ have }) => have.count >= have.size / 2);
  swarm.clock.run(10 * MINUTE_MS, isHalf);
  for (const seeder of seeders) seeder.crash();
  swarm.clock.run(2 * MINUTE_MS + randomInt(swarm.random, 10 * MINUTE_MS));
  const counts = leechers.map(({ have }) => have.count);
  if (Math.max(...counts) !== Math.min(...counts)) {
    swarm.faults.push(`without seeds they have ${counts} pieces`);
  }
  for (const seeder of seeders) seeder.start();
  swarm.repeat(30_000, 10 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}

/** One disk is full in the middle: that client stops with the reason, and goes on from there. */
export function fullDisk({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 100_000 } });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  const [victim] = leechers;
  if (!victim) return swarm;
  swarm.clock.run(10 * MINUTE_MS, () => victim.have.count > 3 + randomInt(swarm.random, 10));
  victim.store.failure = new Error('the disk is full');
  swarm.clock.run(30_000);
  const said = victim.failures.splice(0).map(({ message }) => message);
  if (said.join() !== 'the disk is full') swarm.faults.push(`it said '${said}'`);
  victim.stop();
  victim.store.failure = null;
  victim.start();
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}

/** The only seed leaves as soon as one copy of every piece is out. */
export function lastCopy({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, bytesPerSecond: 200_000 } });
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
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
export function magnet({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: { ...HOME, lifetimeBytes: 300_000 } });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none', isMagnet: true });
  swarm.introduce();
  addStranger(swarm, 'liar', leechers);
  swarm.repeat(5_000, 20 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** All of it at once. */
export function everything({ seed, peers }: ScenarioTerms): Swarm {
  const path = { ...HOME, bytesPerSecond: 500_000, lifetimeBytes: 2_000_000 };
  const swarm = makeSwarm({ seed, path });
  const seeder = swarm.add({ has: 'all' });
  swarm.addMany(2, { has: 'all', isCorrupting: true });
  const leechers = swarm.addMany(peers, { has: 'none' });
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
export function crowd({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, pieceLengthBytes: 16384, totalBytes: 100_000 });
  swarm.addMany(5, { has: 'all' });
  const engine = { peersPerTorrentMax: 15 };
  const leechers = swarm.addMany(peers, { has: 'none', engine });
  for (const node of swarm.nodes) swarm.announce(node, 30);
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}
