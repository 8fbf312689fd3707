/** What must be true of every swarm at its end, whoever else took part. */
import { equalBytes } from '../../units/index.ts';
import type { Swarm } from '../swarm.ts';
import type { SwarmNode } from '../swarm-node.ts';
import { SLAB_BYTES } from './stage.ts';

/** Connections that were being closed have ended by then, and partitions have healed. */
const GRACE_MS = 120_000;

/** Closes everything and says what is not as it must be; nothing when all is well. */
export function findFaults(swarm: Swarm): string[] {
  const faults = [...swarm.faults];
  const honest = swarm.nodes.filter((node) => node.isHonest);
  const honestHosts = new Set(honest.map((node) => node.host));
  for (const node of honest) {
    for (const fault of faultsOf(swarm, node, honestHosts)) faults.push(`${node.host}: ${fault}`);
  }
  faults.push(...faultsAfterClosing(swarm));
  return faults;
}

function faultsOf(swarm: Swarm, node: SwarmNode, honestHosts: ReadonlySet<string>): string[] {
  const faults = [
    ...node.faults,
    ...node.failures.map((failure) => `it failed: ${failure.message}`),
  ];
  const { content, whole } = swarm.memory;
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
  const heldMax = Math.max(SLAB_BYTES, 2 * content.pieceLengthBytes);
  if (node.heldBytesMax > heldMax) faults.push(`it held ${node.heldBytesMax} bytes of pieces`);
  return faults;
}

/** Stops every client: nothing may happen after that. */
function faultsAfterClosing(swarm: Swarm): string[] {
  const { nodes, clock, network } = swarm;
  const known = nodes.map((node) => node.faults.length);
  swarm.isOver = true;
  for (const node of nodes) if (node.isUp) node.stop();
  clock.run(GRACE_MS);
  const faults: string[] = [];
  for (const [nth, { host, faults: all }] of nodes.entries()) {
    for (const fault of all.slice(known[nth])) faults.push(`${host}: ${fault}`);
    if (network.endsAt(host) > 0) faults.push(`${host}: a connection is left`);
  }
  return faults;
}
