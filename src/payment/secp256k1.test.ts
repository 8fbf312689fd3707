import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recoverAddress } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { fromHex, toHex } from '../units/index.ts';
import { PaymentError } from './payment-error.ts';
import { isCanonicalSignature, nobleSecp256k1 } from './secp256k1.ts';

/** The first account of the well-known test mnemonic. */
const KEY = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const DIGEST = new Uint8Array(32).fill(0x42);

const word = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
const toBig = (view: Uint8Array): bigint => BigInt(`0x${toHex(view)}`);

test('the address of a known key', () => {
  assert.equal(nobleSecp256k1.publicAddress(KEY), ACCOUNT);
});

test('a signature is the one viem makes, and names its signer', async () => {
  const signature = nobleSecp256k1.sign(DIGEST, KEY);
  const theirs = await sign({
    hash: `0x${toHex(DIGEST)}`,
    privateKey: `0x${toHex(KEY)}`,
    to: 'hex',
  });
  assert.equal(`0x${toHex(signature)}`, theirs);
  assert.equal(nobleSecp256k1.recover(DIGEST, signature), ACCOUNT);
});

test('the mirrored signature with high s is nobody’s, though mathematically right', () => {
  const signature = nobleSecp256k1.sign(DIGEST, KEY);
  const mirrored = signature.slice();
  mirrored.set(word(ORDER - toBig(signature.subarray(32, 64))), 32);
  mirrored[64] = signature[64] === 27 ? 28 : 27;
  assert.equal(isCanonicalSignature(mirrored), false);
  assert.equal(nobleSecp256k1.recover(DIGEST, mirrored), null);
});

test('the largest low s passes and the next one does not', () => {
  const signature = nobleSecp256k1.sign(DIGEST, KEY);
  signature.set(word(ORDER / 2n), 32);
  assert.equal(isCanonicalSignature(signature), true);
  signature.set(word(ORDER / 2n + 1n), 32);
  assert.equal(isCanonicalSignature(signature), false);
});

test('v other than 27 and 28, and lengths other than 65, are refused', () => {
  const signature = nobleSecp256k1.sign(DIGEST, KEY);
  for (const v of [0, 1, 26, 29, 255]) {
    const changed = signature.slice();
    changed[64] = v;
    assert.equal(nobleSecp256k1.recover(DIGEST, changed), null, `v ${v}`);
  }
  assert.equal(nobleSecp256k1.recover(DIGEST, signature.subarray(0, 64)), null);
  assert.equal(nobleSecp256k1.recover(DIGEST, new Uint8Array([...signature, 0])), null);
});

test('a signature of zeros, or with r beyond the order, is nobody’s', () => {
  const zeros = new Uint8Array(65);
  zeros[64] = 27;
  assert.equal(nobleSecp256k1.recover(DIGEST, zeros), null);
  const large = nobleSecp256k1.sign(DIGEST, KEY);
  large.set(word(ORDER), 0);
  assert.equal(nobleSecp256k1.recover(DIGEST, large), null);
});

test('what is no private key is refused by name, without being quoted', () => {
  for (const key of [new Uint8Array(32), word(ORDER), new Uint8Array(31).fill(1)]) {
    const check = (error: unknown): boolean =>
      error instanceof PaymentError && !error.message.includes(toHex(key));
    assert.throws(() => nobleSecp256k1.sign(DIGEST, key), check);
    assert.throws(() => nobleSecp256k1.publicAddress(key), check);
  }
});

test('property: what one key signs, viem recovers, and so do we', async () => {
  const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(thirtyTwo, thirtyTwo, async (digest, key) => {
      fc.pre(toBig(key) > 0n && toBig(key) < ORDER);
      const signature = nobleSecp256k1.sign(digest, key);
      const account = privateKeyToAccount(`0x${toHex(key)}`).address.toLowerCase();
      assert.equal(nobleSecp256k1.recover(digest, signature), account);
      const theirs = await recoverAddress({
        hash: `0x${toHex(digest)}`,
        signature: `0x${toHex(signature)}`,
      });
      assert.equal(theirs.toLowerCase(), account);
    }),
    { numRuns: 50 },
  );
});
