/** A swarm whose members find each other through the DHT alone. */
import { DhtNetwork } from '../dht-network.ts';
import type { Swarm } from '../swarm.ts';
import type { SwarmNode } from '../swarm-node.ts';
import { SIM_PORT } from '../virtual-host.ts';
import { HOME, MINUTE_MS, makeSwarm, type ScenarioTerms } from './stage.ts';

const DOWNLOADERS = 6;
const ROUND_MS = 30_000;

/** `peers` nodes of the DHT, of which a few trade a torrent they know by its info-hash alone. */
export function dht({ seed, peers }: ScenarioTerms): Swarm {
  const swarm = makeSwarm({ seed, path: HOME, hostOf: (nth) => `90.${nth}.0.1` });
  const net = new DhtNetwork({ seed, lossRatio: 0.02, clock: swarm.clock });
  net.grow(peers);
  const seeder = swarm.add({ has: 'all' });
  const leechers = swarm.addMany(DOWNLOADERS, { has: 'none', isMagnet: true });
  for (const node of [seeder, ...leechers]) searchFor(swarm, net, node);
  swarm.runUntilComplete(leechers, 20 * MINUTE_MS);
  return swarm;
}

/** A node of the DHT at the client's host, which announces it and looks for others. */
function searchFor(swarm: Swarm, net: DhtNetwork, node: SwarmNode): void {
  const entrance = net.pick();
  const { dht } = net.add({ host: node.host });
  dht.bootstrap([entrance.endpoint]);
  const search = (): void =>
    dht.findPeers({
      infoHash: swarm.memory.infoHash,
      announce: { port: SIM_PORT, isPortImplied: false, isSeed: node.completeAt !== null },
      isScrape: false,
      onPeers: (found) => node.meet(found.filter(({ host }) => host !== node.host)),
      onDone: () => {},
    });
  swarm.clock.after(5_000, search);
  swarm.repeat(ROUND_MS, 20 * MINUTE_MS, search);
}
