import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 as curve } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { fromHex, toHex, ZERO_ADDRESS } from '../units/index.ts';
import { claimableSignature, KnownSigners } from './known-signers.ts';
import { addressOfPublicKey, nobleSecp256k1 } from './secp256k1.ts';

const KEY = new Uint8Array(32).fill(1);
const SIGNER = nobleSecp256k1.publicAddress(KEY);
const FIRST = new Uint8Array(32).fill(0x41);
const SECOND = new Uint8Array(32).fill(0x42);
const ORDER = curve.Point.Fn.ORDER;

const sign = (digest: Uint8Array): Uint8Array => nobleSecp256k1.sign(digest, KEY);
const big = (view: Uint8Array): bigint => BigInt(`0x${toHex(view)}`);
const mod = (value: bigint): bigint => curve.Point.Fn.create(value);
const inverse = (value: bigint): bigint => curve.Point.Fn.inv(value);

/** Signers that know `SIGNER` already, and that fail when they have to recover once more. */
function acquainted(): KnownSigners {
  let recoveries = 0;
  const signers = new KnownSigners({
    ...nobleSecp256k1,
    recoverKey: (digest, signature) => {
      assert.equal(++recoveries, 1, 'a key was recovered that is known');
      return nobleSecp256k1.recoverKey(digest, signature);
    },
  });
  assert.equal(signers.hasSigned(SIGNER, FIRST, sign(FIRST)), true);
  return signers;
}

function withOtherV(signature: Uint8Array): Uint8Array {
  const changed = signature.slice();
  changed[64] = signature[64] === 27 ? 28 : 27;
  return changed;
}

test('a signer is recovered once and verified from then on', () => {
  const signers = acquainted();
  assert.equal(signers.hasSigned(SIGNER, SECOND, sign(SECOND)), true);
  assert.equal(signers.hasSigned(SIGNER, SECOND, sign(FIRST)), false);
  assert.equal(signers.hasSigned(SIGNER, FIRST, sign(FIRST)), true);
});

test('the first signature of another account proves nothing about this one', () => {
  const signers = new KnownSigners(nobleSecp256k1);
  const stranger = nobleSecp256k1.publicAddress(new Uint8Array(32).fill(2));
  assert.equal(signers.hasSigned(stranger, FIRST, sign(FIRST)), false);
  assert.equal(signers.hasSigned(SIGNER, FIRST, sign(FIRST)), true);
  assert.equal(signers.hasSigned(ZERO_ADDRESS, FIRST, sign(FIRST)), false);
});

test('a mirrored signature with high s is refused with a known key, too', () => {
  const mirrored = withOtherV(sign(SECOND));
  mirrored.set(
    fromHex(
      mod(-big(mirrored.subarray(32, 64)))
        .toString(16)
        .padStart(64, '0'),
    ),
    32,
  );
  assert.equal(acquainted().hasSigned(SIGNER, SECOND, mirrored), false);
});

test('a wrong v of a known signer is put right before the contract sees it', () => {
  const damaged = withOtherV(sign(SECOND));
  assert.equal(acquainted().hasSigned(SIGNER, SECOND, damaged), true);
  assert.equal(nobleSecp256k1.recover(SECOND, damaged) === SIGNER, false);
  const signed = { digest: SECOND, signature: damaged };
  assert.deepEqual(claimableSignature(nobleSecp256k1, SIGNER, signed), sign(SECOND));
  const stranger = { digest: SECOND, signature: sign(FIRST) };
  assert.equal(claimableSignature(nobleSecp256k1, SIGNER, stranger), null);
});

/**
 * Two signatures of one key over digests given beforehand, made by choosing the key last. The
 * nonce point of the second has an x beyond the order, so verification passes and `ecrecover` finds
 * nobody: a buyer could pay everything but the first voucher with it.
 */
function unclaimablePair(): {
  readonly publicKey: Uint8Array;
  readonly good: Uint8Array;
  readonly bad: Uint8Array;
} {
  const [first, second] = [mod(big(FIRST)), mod(big(SECOND))];
  const beyond = pointBeyondOrder();
  const badR = mod(beyond.toAffine().x);
  const alpha = mod(-second * inverse(badR));
  for (let gamma = 1n; ; gamma++) {
    const nonce = curve.Point.BASE.multiply(gamma).add(beyond);
    const goodR = mod(nonce.toAffine().x);
    const goodS = mod((first + goodR * alpha) * inverse(gamma));
    const beta = mod(goodS * inverse(goodR));
    const badS = mod(badR * beta);
    if (goodS > ORDER >> 1n || badS > ORDER >> 1n) continue;
    const key = curve.Point.BASE.multiply(alpha).add(beyond.multiply(beta));
    const v = 27 + Number(nonce.toAffine().y & 1n);
    return {
      publicKey: key.toBytes(false),
      good: pack(goodR, goodS, v),
      bad: pack(badR, badS, 27),
    };
  }
}

function pointBeyondOrder(): typeof curve.Point.BASE {
  for (let x = ORDER + 1n; ; x++) {
    try {
      return curve.Point.fromHex(`02${x.toString(16)}`);
    } catch {
      // Half of all coordinates are of no point.
    }
  }
}

function pack(r: bigint, s: bigint, v: number): Uint8Array {
  const hex = [r, s].map((word) => word.toString(16).padStart(64, '0')).join('');
  return fromHex(`${hex}${v.toString(16)}`);
}

test('a signature that verifies and that no contract can recover is refused', () => {
  const { publicKey, good, bad } = unclaimablePair();
  const signer = addressOfPublicKey(publicKey);
  const signers = new KnownSigners(nobleSecp256k1);
  assert.equal(signers.hasSigned(signer, FIRST, good), true);
  assert.equal(nobleSecp256k1.verify(SECOND, bad, publicKey), true, 'the trap is real');
  assert.notEqual(nobleSecp256k1.recover(SECOND, bad), signer);
  assert.notEqual(nobleSecp256k1.recover(SECOND, withOtherV(bad)), signer);
  assert.equal(signers.hasSigned(signer, SECOND, bad), false);
  assert.equal(signers.hasSigned(signer, SECOND, withOtherV(bad)), false);
});

test('property: what a known signer is believed, a claim can be made of', () => {
  const signers = new KnownSigners(nobleSecp256k1);
  assert.equal(signers.hasSigned(SIGNER, FIRST, sign(FIRST)), true);
  const damage = fc.record({ at: fc.nat(64), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), damage, (digest, change) => {
      const signature = sign(digest);
      signature[change.at] = change.byte;
      const claimable = claimableSignature(nobleSecp256k1, SIGNER, { digest, signature });
      assert.equal(signers.hasSigned(SIGNER, digest, signature), claimable !== null);
    }),
    { numRuns: 100 },
  );
});
