import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nobleSecp256k1, PaymentError } from '../payment/index.ts';
import { loadSecp256k1 } from './native-secp256k1.ts';

const choice = loadSecp256k1();
const native = choice.secp256k1;

const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('on the platforms we test on, the native library is the one in use', () => {
  assert.equal(choice.isNative, true, choice.note);
  assert.equal(choice.note, 'signatures: libsecp256k1 (native)');
});

test('what is no private key is refused by both', () => {
  const digest = new Uint8Array(32);
  for (const key of [
    new Uint8Array(32),
    new Uint8Array(32).fill(255),
    new Uint8Array(31).fill(1),
  ]) {
    for (const secp256k1 of [native, nobleSecp256k1]) {
      assert.throws(() => secp256k1.sign(digest, key), PaymentError);
      assert.throws(() => secp256k1.publicAddress(key), PaymentError);
    }
  }
});

test('property: native and JavaScript sign the same bytes and know the same accounts', () => {
  fc.assert(
    fc.property(thirtyTwo, thirtyTwo, (digest, seed) => {
      const key = seed.map((byte, at) => (at === 0 ? byte & 0x7f : at === 31 ? byte | 1 : byte));
      const signature = native.sign(digest, key);
      assert.deepEqual(signature, nobleSecp256k1.sign(digest, key));
      assert.equal(native.publicAddress(key), nobleSecp256k1.publicAddress(key));
      assert.equal(native.recover(digest, signature), native.publicAddress(key));
    }),
    { numRuns: 100 },
  );
});

test('property: native and JavaScript give the same verdict on damaged signatures', () => {
  const damage = fc.record({ at: fc.nat(64), byte: fc.nat(255), length: fc.nat(70) });
  fc.assert(
    fc.property(thirtyTwo, damage, (digest, { at, byte, length }) => {
      const signature = new Uint8Array(length < 60 ? 65 : length);
      signature.set(native.sign(digest, new Uint8Array(32).fill(9)).subarray(0, signature.length));
      if (at < signature.length) signature[at] = byte;
      assert.equal(native.recover(digest, signature), nobleSecp256k1.recover(digest, signature));
    }),
    { numRuns: 300 },
  );
});

test('property: native and JavaScript give the same verdict on arbitrary bytes', () => {
  const parts = fc.tuple(thirtyTwo, thirtyTwo, fc.constantFrom(27, 28));
  fc.assert(
    fc.property(thirtyTwo, parts, (digest, [r, s, v]) => {
      const signature = new Uint8Array([...r, ...s.map((b, at) => (at ? b : b & 0x3f)), v]);
      assert.equal(native.recover(digest, signature), nobleSecp256k1.recover(digest, signature));
    }),
    { numRuns: 200 },
  );
});
