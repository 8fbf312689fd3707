/** Randomness for protocol numbers and ids that nobody may foretell. */
import { randomFillSync } from 'node:crypto';

/** Numbers drawn at a time: one call of the generator for many. */
const pool = new Uint32Array(1024);
let used: number = pool.length;

/** Uniform in [0, 1), with 32 bits from the system's generator. */
export function systemRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] ?? 0) / 2 ** 32;
}
