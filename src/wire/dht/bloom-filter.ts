/** The bloom filters that let many nodes count one swarm together (BEP 33). */
import type { Sha1 } from './items.ts';

/** Bytes of a filter: m = 2048 bits. */
export const BLOOM_FILTER_BYTES = 256;

const BITS = BLOOM_FILTER_BYTES * 8;

/** Adds an address (4 or 16 bytes) to a filter. */
export function addToBloomFilter(filter: Uint8Array, ip: Uint8Array, sha1: Sha1): void {
  const hash = sha1(ip);
  for (const at of [0, 2]) {
    const index = ((hash[at] ?? 0) | ((hash[at + 1] ?? 0) << 8)) % BITS;
    filter[index >> 3] = (filter[index >> 3] ?? 0) | (1 << (index & 7));
  }
}

/** How many addresses a filter holds, estimated. Beyond some 6,000 it says nothing any more. */
export function estimateBloomFilter(filter: Uint8Array): number {
  let zeros = 0;
  for (let at = 0; at < BLOOM_FILTER_BYTES; at++) {
    for (let bit = 0; bit < 8; bit++) if (((filter[at] ?? 0) & (1 << bit)) === 0) zeros++;
  }
  const clamped = Math.min(BITS - 1, Math.max(zeros, 1));
  if (zeros === BITS) return 0;
  return Math.log(clamped / BITS) / (2 * Math.log(1 - 1 / BITS));
}

/** Adds all that `more` holds to `filter`: the union of what several nodes know. */
export function uniteBloomFilters(filter: Uint8Array, more: Uint8Array): void {
  for (let at = 0; at < BLOOM_FILTER_BYTES; at++) {
    filter[at] = (filter[at] ?? 0) | (more[at] ?? 0);
  }
}
