/** A swarm in which some downloaders say what they have, and serve nobody. */
import type { UploadPolicy } from '../../engine/index.ts';
import { bytesPerSecond } from '../../units/index.ts';
import type { Swarm } from '../swarm.ts';
import type { NodeOptions, SwarmNode } from '../swarm-node.ts';
import { HOME, MINUTE_MS, makeSwarm, type ScenarioTerms } from './stage.ts';

/** Part of the downloaders that never serve anybody. */
const RIDERS_SHARE = 0.3;

/** Who gives is to get at least so many times the rate of who does not. */
const WORTH = 1.5;

/** No peer gets more than so many times its part of what the seed sends. */
const SEED_SHARES_MAX = 3;

/** Four slots each, and more who want one. */
const UPLOAD_LIMIT = bytesPerSecond(20_000);

/** Long enough for many turns at the seed: some ten minutes. */
const TOTAL_BYTES = 15_000_000;

const NOBODY: UploadPolicy = { allot: () => [] };

/**
 * Who gives gets more, and the seed's slots go round. `choking` makes the policy of all others;
 * left out, it is the standard one.
 */
export function freeRiders(
  { seed, peers }: ScenarioTerms,
  choking: (() => UploadPolicy) | null = null,
): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, totalBytes: TOTAL_BYTES });
  const add = (has: NodeOptions['has'], uploadPolicy = choking?.() ?? null): SwarmNode =>
    swarm.add({ has, engine: { uploadLimit: UPLOAD_LIMIT }, deps: { uploadPolicy } });
  const seeder = add('all');
  const some = (): boolean => swarm.random() < 0.3;
  // Everybody begins with something to give, so that the seed is not all there is.
  const riderCount = Math.round(peers * RIDERS_SHARE);
  const givers = Array.from({ length: peers - riderCount }, () => add(some));
  const riders = Array.from({ length: riderCount }, () => add(some, NOBODY));
  const fromSeed = new Map<string, number>();
  swarm.introduce();
  // Rates count while everybody wants something, and nobody has become a seed.
  const isOver = (): boolean => givers.some(({ completeAt }) => completeAt !== null);
  swarm.clock.run(20 * MINUTE_MS, isOver);
  const worth = meanOf(givers) / meanOf(riders);
  if (worth < WORTH) swarm.faults.push(`who gives got ${worth.toFixed(2)} times the rate only`);
  for (const { host, sentBytes } of seeder.torrent.snapshot().peers) fromSeed.set(host, sentBytes);
  const fair = seeder.torrent.sent.total / peers;
  for (const { host } of [...givers, ...riders]) {
    const share = (fromSeed.get(host) ?? 0) / fair;
    if (share === 0) swarm.faults.push(`${host} never had a slot of the seed`);
    if (share > SEED_SHARES_MAX) swarm.faults.push(`${host} got ${share.toFixed(1)} shares of it`);
  }
  swarm.runUntilComplete([...givers, ...riders], 60 * MINUTE_MS);
  return swarm;
}

function meanOf(nodes: readonly SwarmNode[]): number {
  return nodes.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0) / nodes.length;
}
