/** What must be true of every swarm at its end, whoever else took part. */
import { equalBytes } from '../units/index.ts';
import { SIM_SLAB_BYTES, type SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** Connections that were being closed have ended by then, and partitions have healed. */
const GRACE_MS = 120_000;

/** Closes everything and says what is not as it must be; nothing when all is well. */
export function findFaults(world: World): string[] {
  const faults = [...world.faults];
  const honest = world.nodes.filter((node) => node.isHonest);
  const honestHosts = new Set(honest.map((node) => node.host));
  for (const node of honest) {
    for (const fault of faultsOf(world, node, honestHosts)) faults.push(`${node.host}: ${fault}`);
  }
  faults.push(...faultsAfterClosing(world));
  return faults;
}

function faultsOf(world: World, node: SimNode, honestHosts: ReadonlySet<string>): string[] {
  const faults = [...node.faults];
  const { content, whole } = world.data;
  for (let piece = 0; piece < node.have.size; piece++) {
    if (!node.have.has(piece)) continue;
    const start = piece * content.pieceLengthBytes;
    const end = start + content.pieceLengthBytes;
    if (!equalBytes(node.store.bytes.subarray(start, end), whole.subarray(start, end))) {
      faults.push(`piece ${piece} on its disk is wrong`);
    }
  }
  if (node.completeAt !== null && !node.have.isComplete) faults.push('it is not complete');
  const wronged = node.bans.filter((host) => honestHosts.has(host));
  if (wronged.length > 0) faults.push(`it banned the honest ${wronged.join(', ')}`);
  // Two pieces may be held whatever the budget is.
  const heldMax = Math.max(SIM_SLAB_BYTES, 2 * content.pieceLengthBytes);
  if (node.heldBytesMax > heldMax) faults.push(`it held ${node.heldBytesMax} bytes of pieces`);
  return faults;
}

/** Stops every client: nothing may happen after that. */
function faultsAfterClosing(world: World): string[] {
  const { nodes, clock, network } = world;
  const known = nodes.map((node) => node.faults.length);
  world.isOver = true;
  for (const node of nodes) if (node.isUp) node.stop();
  clock.run(GRACE_MS);
  const faults: string[] = [];
  for (const [nth, { host, faults: all }] of nodes.entries()) {
    for (const fault of all.slice(known[nth])) faults.push(`${host}: ${fault}`);
    if (network.isConnected(host)) faults.push(`${host}: a connection is left`);
  }
  return faults;
}
