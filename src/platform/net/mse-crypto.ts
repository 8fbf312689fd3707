/** Keys, hashes and randomness for encrypted connections, by OpenSSL. */
import { createDiffieHellman, type DiffieHellman, hash, randomBytes } from 'node:crypto';
import { MSE_KEY_BYTES, MSE_PRIME_HEX, type MseCrypto } from '../../wire/index.ts';

const GENERATOR = Uint8Array.of(2);
/** The specification asks for at least 128 bits and says that more than 180 are of no use. */
const SECRET_BYTES = 20;

/** Made once per thread, when first needed: OpenSSL checks the prime, which takes 25 ms. */
let group: DiffieHellman | null = null;

/**
 * See `MseCrypto`. Keys take 0.1 ms each: a third of what `BigInt` needs (docs/measurements.md).
 */
export const nodeMseCrypto: MseCrypto = {
  sha1: (view: Uint8Array) => hash('sha1', view, 'buffer'),
  randomBytes: (count: number) => randomBytes(count),
  newKeyPair: () => {
    group ??= createDiffieHellman(MSE_PRIME_HEX, 'hex', GENERATOR);
    const shared = group;
    const secret = randomBytes(SECRET_BYTES);
    shared.setPrivateKey(secret);
    const publicKey = padded(shared.generateKeys());
    const secretWith = (remote: Uint8Array): Uint8Array | null => {
      shared.setPrivateKey(secret);
      try {
        return padded(shared.computeSecret(remote));
      } catch {
        // 0, 1, p - 1 and larger: whoever sends such a key would know the secret.
        return null;
      }
    };
    return { publicKey, secretWith };
  },
};

/** OpenSSL leaves leading zeros out. */
function padded(number: Uint8Array): Uint8Array {
  const view = new Uint8Array(MSE_KEY_BYTES);
  view.set(number, MSE_KEY_BYTES - number.length);
  return view;
}
