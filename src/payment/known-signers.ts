/** Who signed a voucher, checked by the signer's public key once that is known. */
import { type Address, ZERO_ADDRESS } from '../units/index.ts';
import { addressOfPublicKey, isCanonicalSignature, type Secp256k1 } from './secp256k1.ts';

/** Keys remembered, the oldest forgotten first: far more than a seller has buyers at a time. */
const SIGNERS_MAX = 10_000;

/** A byte of `r` that is not zero among so many says that `r` is the whole coordinate. */
const TELLING_BYTES = 15;

/**
 * Public keys by account. The first signature of an account is recovered, which proves its key;
 * those that follow are verified with it, in about four fifths of the time
 * (docs/decisions/0015).
 */
export class KnownSigners {
  readonly #secp256k1: Secp256k1;
  readonly #keys = new Map<Address, Uint8Array>();

  constructor(secp256k1: Secp256k1) {
    this.#secp256k1 = secp256k1;
  }

  /**
   * Whether `signer` signed the 32-byte digest. Never true for the zero address, nor for a
   * signature that is not canonical.
   *
   * With a known key the value of `v` is not looked at, as it says nothing that the key does not.
   * The contract does look at it: `claimableSignature` puts it right.
   */
  hasSigned(signer: Address, digest: Uint8Array, signature: Uint8Array): boolean {
    if (signer === ZERO_ADDRESS || !isCanonicalSignature(signature)) return false;
    const key = this.#keys.get(signer);
    if (key && isWholeCoordinate(signature)) return this.#secp256k1.verify(digest, signature, key);
    const recovered = this.#secp256k1.recoverKey(digest, signature);
    if (recovered === null || addressOfPublicKey(recovered) !== signer) return false;
    this.#remember(signer, recovered);
    return true;
  }

  #remember(signer: Address, key: Uint8Array): void {
    const oldest = this.#keys.keys().next().value;
    if (this.#keys.size >= SIGNERS_MAX && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.set(signer, key);
  }
}

/**
 * The signature with the `v` under which `ecrecover` gives `signer`; null when neither value does.
 * For vouchers about to be claimed.
 */
export function claimableSignature(
  secp256k1: Secp256k1,
  signer: Address,
  signed: { readonly digest: Uint8Array; readonly signature: Uint8Array },
): Uint8Array | null {
  const { digest, signature } = signed;
  if (!isCanonicalSignature(signature)) return null;
  for (const v of [27, 28]) {
    const candidate = signature.slice();
    candidate[64] = v;
    if (secp256k1.recover(digest, candidate) === signer) return candidate;
  }
  return null;
}

/**
 * Whether `r` can only be the x coordinate itself. Coordinates from the group's order up to the
 * field's, a 2^-128th of all, wrap round to an `r` below 2^129, and `ecrecover` with its v of 27 or
 * 28 cannot find them, though verification passes. Whoever chooses the key after the vouchers can
 * make one: it must not count as payment, so such an `r` is recovered as the contract does it.
 */
function isWholeCoordinate(signature: Uint8Array): boolean {
  for (let at = 0; at < TELLING_BYTES; at++) if (signature[at] !== 0) return true;
  return false;
}
