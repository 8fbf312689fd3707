/** Randomness for protocol numbers and ids that nobody may foretell. */
import { webcrypto } from 'node:crypto';

const word = new Uint32Array(1);

/** Uniform in [0, 1), with 32 bits from the system's generator. */
export function systemRandom(): number {
  return (webcrypto.getRandomValues(word)[0] ?? 0) / 2 ** 32;
}
