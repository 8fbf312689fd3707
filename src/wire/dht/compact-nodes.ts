/** Compact node lists: 26 bytes a node over IPv4 (BEP 5), 38 over IPv6 (BEP 32). */
import { compactStride, decodeCompact, encodeCompact, type Family } from '../tracker/endpoint.ts';
import type { NodeContact } from './messages.ts';
import { NODE_ID_BYTES } from './node-id.ts';

/** Reads at most `countMax` nodes; those with port 0 and a cut tail are left out. Copies. */
export function decodeNodes(view: Uint8Array, family: Family, countMax: number): NodeContact[] {
  const stride = NODE_ID_BYTES + compactStride(family);
  const nodes: NodeContact[] = [];
  for (let at = 0; at + stride <= view.length && nodes.length < countMax; at += stride) {
    const [endpoint] = decodeCompact(view.subarray(at + NODE_ID_BYTES, at + stride), family);
    if (endpoint) nodes.push({ id: view.slice(at, at + NODE_ID_BYTES), ...endpoint });
  }
  return nodes;
}

/** Writes a list; nodes of the other family are our own mistake. */
export function encodeNodes(nodes: readonly NodeContact[], family: Family): Uint8Array {
  const stride = NODE_ID_BYTES + compactStride(family);
  const list = new Uint8Array(nodes.length * stride);
  nodes.forEach((node, index) => {
    list.set(node.id, index * stride);
    list.set(encodeCompact([node], family), index * stride + NODE_ID_BYTES);
  });
  return list;
}
