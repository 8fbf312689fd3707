/** Swarms with peers that corrupt, lie, flood, babble or fall silent. */
import { randomInt } from '../../units/index.ts';
import type { TorrentShape } from '../memory-torrent.ts';
import { addStranger, POISON } from '../stranger.ts';
import type { Swarm } from '../swarm.ts';
import { HOME, MINUTE_MS, makeSwarm, type ScenarioTerms } from './stage.ts';

const KIB = 1024;

/** Peers with all pieces, each spoiled: they are banned, and nobody else is. */
export function corruption(terms: ScenarioTerms): Swarm {
  return spoiled(terms, { pieceLengthBytes: 64 * KIB });
}

/** The same in a torrent of several files with v2 hashes, where single blocks can be blamed. */
export function corruptionV2(terms: ScenarioTerms): Swarm {
  return spoiled(terms, {
    pieceLengthBytes: 64 * KIB,
    fileLengths: [1, 300 * KIB, 5_000, 700_001],
  });
}

/** The same in a hybrid torrent. */
export function corruptionHybrid(terms: ScenarioTerms): Swarm {
  const fileLengths = [100 * KIB + 1, 64 * KIB, 600_000];
  return spoiled(terms, { pieceLengthBytes: 64 * KIB, fileLengths, isHybrid: true });
}

function spoiled({ seed, peers }: ScenarioTerms, shape: TorrentShape): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, ...shape });
  swarm.addMany(2, { has: 'all' });
  swarm.addMany(3, { has: 'all', isCorrupting: true });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  if (leechers.every(({ bans }) => bans.length === 0)) swarm.faults.push('nobody was banned');
  return swarm;
}

/** Who tells of peers that are none makes nobody dial one address often, or miss the real ones. */
export function pexPoison({ seed, peers }: ScenarioTerms): Swarm {
  const path = { ...HOME, bytesPerSecond: 20_000 };
  const swarm = makeSwarm({ seed, path, node: { hasPex: true } });
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  for (let nth = 0; nth < 3; nth++) addStranger(swarm, 'poisoner', leechers);
  // All know the first of them, who alone knows the seed.
  const [first] = leechers;
  first?.meet([seeder.address]);
  for (const leecher of leechers) if (first) leecher.meet([first.address]);
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  const dials = swarm.network.dialsTo(POISON.host);
  const dialsMax = 4 * peers;
  if (dials > dialsMax) swarm.faults.push(`one poisoned address was dialled ${dials} times`);
  return swarm;
}

/** Hundreds of connections come to everybody, and again as soon as they are closed. */
export function flood({ seed, peers }: ScenarioTerms): Swarm {
  const connectionsMax = 40;
  const path = { ...HOME, bytesPerSecond: 40_000 };
  const swarm = makeSwarm({ seed, path, node: { engine: { connectionsMax } } });
  const victims = [swarm.add({ has: 'all' }), ...swarm.addMany(peers, { has: 'none' })];
  swarm.repeat(250, 2 * MINUTE_MS, () => {
    for (let nth = 0; nth < 10; nth++) {
      const manner = swarm.random() < 0.5 ? 'silent' : 'mute';
      const victim = victims[randomInt(swarm.random, victims.length)];
      if (victim) addStranger(swarm, manner, [victim]);
    }
    for (const { host } of victims) {
      const ends = swarm.network.endsAt(host);
      if (ends > connectionsMax + 10) swarm.faults.push(`${host} has ${ends} connections`);
    }
  });
  swarm.introduce();
  swarm.repeat(5_000, 10 * MINUTE_MS, () => swarm.introduce());
  swarm.runUntilComplete(victims, 10 * MINUTE_MS);
  return swarm;
}

/** Peers that announce what they do not have. */
export function liars({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  swarm.add({ has: 'all' });
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  for (const manner of ['liar', 'hoarder', 'liar', 'hoarder'] as const) {
    addStranger(swarm, manner, leechers);
  }
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}

/** Peers that ask for much and read little hold up nobody. */
export function slowReaders({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const seeder = swarm.add({ has: 'all' });
  for (let nth = 0; nth < 20; nth++) addStranger(swarm, 'slow-reader', [seeder]);
  const leechers = swarm.addMany(peers, { has: 'none' });
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  for (const peer of seeder.torrent.peers.values()) {
    const waiting = peer.upload.unsentBytes;
    if (waiting > 1_000_000) swarm.faults.push(`${waiting} bytes wait for a slow reader`);
  }
  return swarm;
}

/** Peers that say nothing, or nonsense. */
export function silence({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME });
  const seeder = swarm.add({ has: 'all', engine: { connectionsMax: 20 } });
  const leechers = swarm.addMany(peers, { has: 'none' });
  for (const manner of ['silent', 'mute', 'babbler'] as const) {
    for (let nth = 0; nth < 5; nth++) addStranger(swarm, manner, [seeder, ...leechers]);
  }
  swarm.introduce();
  swarm.runUntilComplete(leechers, 10 * MINUTE_MS);
  return swarm;
}
