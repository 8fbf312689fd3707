/**
 * libsecp256k1 through the native `secp256k1` package, and the choice between it and JavaScript.
 */
import { createRequire } from 'node:module';
import {
  addressOfPublicKey,
  isCanonicalSignature,
  joinSignature,
  nobleSecp256k1,
  requireKey,
  type Secp256k1,
} from '../payment/index.ts';
import type { Address } from '../units/index.ts';

/** The implementation in use, and why it is not the native one when it is not. */
export interface Secp256k1Choice {
  readonly secp256k1: Secp256k1;
  readonly isNative: boolean;
  /** One plain line for the log at start. */
  readonly note: string;
}

type Binding = typeof import('secp256k1');

/**
 * The native implementation where it loads, else JavaScript.
 *
 * The package falls back to slow JavaScript by itself without a word, so its binding is loaded by
 * name: that either is libsecp256k1 or throws.
 */
export function loadSecp256k1(): Secp256k1Choice {
  const require = createRequire(import.meta.url);
  try {
    const binding = require('secp256k1/bindings.js') as Binding;
    const secp256k1 = nativeSecp256k1(binding);
    return { secp256k1, isNative: true, note: `signatures: ${secp256k1.name}` };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : 'unknown reason';
    const note = `signatures: ${nobleSecp256k1.name}, about 20 times slower; no native: ${why}`;
    return { secp256k1: nobleSecp256k1, isNative: false, note };
  }
}

function nativeSecp256k1(binding: Binding): Secp256k1 {
  const recoverKey = (digest: Uint8Array, signature: Uint8Array): Uint8Array | null => {
    if (digest.length !== 32 || !isCanonicalSignature(signature)) return null;
    const recoveryBit = (signature[64] ?? 0) - 27;
    try {
      return binding.ecdsaRecover(signature.subarray(0, 64), recoveryBit, digest, false);
    } catch {
      // The binding throws when r is no point on the curve: then nobody signed this.
      return null;
    }
  };
  return {
    name: 'libsecp256k1 (native)',
    recoverKey,

    sign(digest: Uint8Array, key: Uint8Array): Uint8Array {
      requireKey(isKey(binding, key));
      // libsecp256k1 signs with RFC 6979 nonces and always gives the low s.
      const { signature, recid } = binding.ecdsaSign(digest, key);
      return joinSignature(signature, recid);
    },

    recover(digest: Uint8Array, signature: Uint8Array): Address | null {
      const key = recoverKey(digest, signature);
      return key && addressOfPublicKey(key);
    },

    verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
      if (digest.length !== 32 || !isCanonicalSignature(signature)) return false;
      try {
        return binding.ecdsaVerify(signature.subarray(0, 64), digest, publicKey);
      } catch {
        // The binding throws when r or s is not below the order: then nobody signed this.
        return false;
      }
    },

    publicAddress(key: Uint8Array): Address {
      requireKey(isKey(binding, key));
      return addressOfPublicKey(binding.publicKeyCreate(key, false));
    },
  };
}

function isKey(binding: Binding, key: Uint8Array): boolean {
  return key.length === 32 && binding.privateKeyVerify(key);
}
