/** Hashing and signatures for the DHT, from the system. */
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { concatBytes, fromHex } from '../../units/index.ts';

/** What precedes a raw ed25519 key in the form OpenSSL reads (RFC 8410). */
const ED25519_SPKI_PREFIX: Uint8Array = fromHex('302a300506032b6570032100');

/** The same of a secret one. */
const ED25519_PKCS8_PREFIX: Uint8Array = fromHex('302e020100300506032b657004220420');

/** SHA-1, 20 bytes. */
export function sha1(view: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha1', view, 'buffer'));
}

/** Whether an ed25519 signature of 64 bytes over `message` is by the key of 32 bytes. */
export function verifyEd25519(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  try {
    const der = Buffer.from(concatBytes(ED25519_SPKI_PREFIX, publicKey));
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return verify(null, message, key, signature);
  } catch {
    // Not every 32 bytes are a key.
    return false;
  }
}

/** The signature, 64 bytes, of `message` by an ed25519 secret of 32 bytes. */
export function signEd25519(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(secret)));
}

/** The public key, 32 bytes, of an ed25519 secret of 32 bytes. */
export function ed25519PublicKey(secret: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(ED25519_SPKI_PREFIX.length));
}

function privateKey(secret: Uint8Array): KeyObject {
  const der = Buffer.from(concatBytes(ED25519_PKCS8_PREFIX, secret));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
