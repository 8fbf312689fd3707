/** Node ids of the DHT: 160 bits, compared by XOR (BEP 5, Kademlia). */
import { type Random, randomInt } from '../../units/index.ts';

/** Bytes of a node id, of an info-hash and of an item's target. */
export const NODE_ID_BYTES = 20;

/** A random id. */
export function randomNodeId(random: Random): Uint8Array {
  return Uint8Array.from({ length: NODE_ID_BYTES }, () => randomInt(random, 256));
}

/** Which of two ids is closer to `target`: negative when `a` is, 0 when they are the same. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < NODE_ID_BYTES; at++) {
    const wanted = target[at] ?? 0;
    const difference = ((a[at] ?? 0) ^ wanted) - ((b[at] ?? 0) ^ wanted);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How many leading bits two ids share, 0..160. */
export function sharedPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < NODE_ID_BYTES; at++) {
    const difference = (a[at] ?? 0) ^ (b[at] ?? 0);
    if (difference !== 0) return at * 8 + Math.clz32(difference) - 24;
  }
  return NODE_ID_BYTES * 8;
}

/**
 * A random id that shares exactly `bits` leading bits with `id`; all of them when it is 160. For
 * refreshing a part of the routing table.
 */
export function nodeIdAtDistance(id: Uint8Array, bits: number, random: Random): Uint8Array {
  const near = randomNodeId(random);
  for (let bit = 0; bit <= bits && bit < NODE_ID_BYTES * 8; bit++) {
    const mask = 0x80 >> (bit & 7);
    const own = (id[bit >> 3] ?? 0) & mask;
    const wanted = bit < bits ? own : own ^ mask;
    near[bit >> 3] = ((near[bit >> 3] ?? 0) & ~mask) | wanted;
  }
  return near;
}
