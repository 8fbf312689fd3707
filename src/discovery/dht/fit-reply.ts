/** Making a reply fit into a packet, or into what an unproven address may be sent. */
import type { DhtReply, Family } from '../../wire/index.ts';

/** What a reply may lose, least important first. */
const CUTS: readonly ((reply: DhtReply, excess: number, family: Family) => DhtReply)[] = [
  (reply, _, family) => (family === 4 ? { ...reply, nodes6: [] } : { ...reply, nodes: [] }),
  (reply) => ({ ...reply, seedFilter: null, peerFilter: null }),
  (reply, excess) => ({ ...reply, samples: fewerSamples(reply, excess) }),
  (reply, excess) => ({ ...reply, peers: fewer(reply.peers, excess, PEER_BYTES) }),
  (reply, excess) => ({ ...reply, nodes: fewer(reply.nodes, excess, NODE_BYTES) }),
  (reply, excess) => ({ ...reply, nodes6: fewer(reply.nodes6, excess, NODE6_BYTES) }),
  (reply) => ({ ...reply, item: null }),
  (reply) => ({ ...reply, token: null, sequence: null, samples: null }),
];

/** Bytes saved at least by leaving out one. */
const PEER_BYTES = 8;
const NODE_BYTES = 26;
const NODE6_BYTES = 38;

/**
 * Cuts a reply until `lengthOf` says it is at most `lengthMax`. `family` is the one it goes out by:
 * nodes of the other one go first.
 */
export function fitReply(
  reply: DhtReply,
  lengthMax: number,
  { family, lengthOf }: { readonly family: Family; readonly lengthOf: (reply: DhtReply) => number },
): DhtReply {
  let fitting = reply;
  for (const cut of CUTS) {
    const excess = lengthOf(fitting) - lengthMax;
    if (excess <= 0) break;
    fitting = cut(fitting, excess, family);
  }
  return fitting;
}

function fewer<T>(items: readonly T[], excess: number, itemBytes: number): readonly T[] {
  return items.slice(0, Math.max(0, items.length - Math.ceil(excess / itemBytes)));
}

function fewerSamples({ samples }: DhtReply, excess: number): DhtReply['samples'] {
  return samples && { ...samples, infoHashes: fewer(samples.infoHashes, excess, 20) };
}
