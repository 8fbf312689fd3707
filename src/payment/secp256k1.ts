/**
 * Recoverable secp256k1 signatures as Ethereum uses them: the interface, the rules both
 * implementations share, and the portable implementation. The fast one is in the chain layer.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, addressFromBytes, assert, fromHex } from '../units/index.ts';
import { PaymentError } from './payment-error.ts';

/** Length of a signature `r | s | v`. */
export const SIGNATURE_BYTES = 65;

/** Signs digests and finds out who signed them. Synchronous, no state. */
export interface Secp256k1 {
  /** What is doing the work, for the line printed at start. */
  readonly name: string;
  /**
   * Signs a 32-byte digest with a 32-byte key: `r | s | v`, deterministic (RFC 6979), s in the
   * lower
   * half of the order (EIP-2), v 27 or 28. Throws `PaymentError` when the key is no key.
   */
  sign(digest: Uint8Array, key: Uint8Array): Uint8Array;
  /** Who signed `digest`; null when the signature is malformed, malleable or nobody's. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null;
  /** The same, as the uncompressed public key of 65 bytes. */
  recoverKey(digest: Uint8Array, signature: Uint8Array): Uint8Array | null;
  /**
   * Whether the key signed `digest`: `r` and `s` are checked, of `v` only that it is 27 or 28. A
   * contract could still not recover it: use `KnownSigners`, which knows when.
   */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
  /** The account of a private key. Throws `PaymentError` when the key is no key. */
  publicAddress(key: Uint8Array): Address;
}

/** Half of the group order, rounded down: the largest `s` that EIP-2 allows. */
const HALF_ORDER = fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');

/** The pure JavaScript implementation: about 900 recoveries a second on a core. */
export const nobleSecp256k1: Secp256k1 = {
  name: 'noble (JavaScript)',

  sign(digest: Uint8Array, key: Uint8Array): Uint8Array {
    assert(digest.length === 32, 'a digest has 32 bytes');
    requireKey(secp256k1.utils.isValidSecretKey(key));
    const recovered = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
    return joinSignature(recovered.subarray(1), recovered[0] ?? 0);
  },

  recover(digest: Uint8Array, signature: Uint8Array): Address | null {
    const key = nobleSecp256k1.recoverKey(digest, signature);
    return key && addressOfPublicKey(key);
  },

  recoverKey(digest: Uint8Array, signature: Uint8Array): Uint8Array | null {
    if (digest.length !== 32 || !isCanonicalSignature(signature)) return null;
    const recovered = new Uint8Array(SIGNATURE_BYTES);
    recovered[0] = (signature[64] ?? 0) - 27;
    recovered.set(signature.subarray(0, 64), 1);
    try {
      const parsed = secp256k1.Signature.fromBytes(recovered, 'recovered');
      return parsed.recoverPublicKey(digest).toBytes(false);
    } catch {
      // The library throws when r is no point on the curve: then nobody signed this.
      return null;
    }
  },

  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (digest.length !== 32 || !isCanonicalSignature(signature)) return false;
    // The library answers false, and does not throw, for r or s out of range.
    return secp256k1.verify(signature.subarray(0, 64), digest, publicKey, { prehash: false });
  },

  publicAddress(key: Uint8Array): Address {
    requireKey(secp256k1.utils.isValidSecretKey(key));
    return addressOfPublicKey(secp256k1.getPublicKey(key, false));
  },
};

/** The account of an uncompressed public key (65 bytes, the first of them 4). */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  assert(publicKey.length === 65, 'an uncompressed public key has 65 bytes');
  return addressFromBytes(keccak_256(publicKey.subarray(1)).subarray(12));
}

/** Whether it has 65 bytes, v is 27 or 28 and s is in the lower half: the contract's own rules. */
export function isCanonicalSignature(signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (signature[64] !== 27 && signature[64] !== 28) return false;
  for (let at = 0; at < 32; at++) {
    const difference = (signature[32 + at] ?? 0) - (HALF_ORDER[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

/** Puts `r | s` and the recovery bit together. */
export function joinSignature(compact: Uint8Array, recoveryBit: number): Uint8Array {
  // 2 and 3 mean that r overflowed the order, which takes about 2^127 signatures to see once.
  assert(recoveryBit === 0 || recoveryBit === 1, 'recovery bit of a signature');
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(compact);
  signature[64] = 27 + recoveryBit;
  return signature;
}

/** Throws unless the key was found valid; the key itself never goes into the message. */
export function requireKey(isValid: boolean): void {
  if (isValid) return;
  throw new PaymentError(
    'PAYMENT_KEY',
    'this is not a private key: it must be 32 bytes, not zero and below the order of secp256k1',
  );
}
