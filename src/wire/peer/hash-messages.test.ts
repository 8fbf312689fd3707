import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromHex } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import { PeerFramer, type PeerMessageSink } from './framer.ts';
import { decodeHashes, encodeHashes, encodeHashRef, type HashRef } from './hash-messages.ts';
import { MESSAGE } from './messages.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const refs: fc.Arbitrary<HashRef> = fc
  .tuple(bytes32, uint32, uint32, uint32, uint32)
  .map(([root, baseLayer, index, length, proofLayers]) => ({
    ...{ root, baseLayer, index, length, proofLayers },
  }));

test('a hash request is root, base layer, index, length, proof layers (BEP 52)', () => {
  const root = new Uint8Array(32).fill(0xaa);
  const ref = { root, baseLayer: 4, index: 512, length: 256, proofLayers: 9 };
  const numbers = '00000004' + '00000200' + '00000100' + '00000009';
  const wanted = concatBytes(fromHex('00000031' + '15'), root, fromHex(numbers));
  assert.deepEqual(encodeHashRef(MESSAGE.hashRequest, ref), wanted);
  assert.deepEqual(encodeHashRef(MESSAGE.hashReject, ref)[4], 23);
  const answer = encodeHashes(ref, new Uint8Array(64));
  assert.equal(answer[4], 22);
  assert.equal(answer.length, 4 + 1 + 48 + 64);
});

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(refs, fc.array(bytes32, { maxLength: 20 }), (ref, list) => {
      const hashes = concatBytes(...list);
      assert.deepEqual(decodeHashes(encodeHashes(ref, hashes).subarray(5)), { ref, hashes });
      const request = encodeHashRef(MESSAGE.hashRequest, ref).subarray(5);
      assert.deepEqual(decodeHashes(request).ref, ref);
    }),
  );
});

test('arbitrary bytes are a message about hashes or a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000, size: 'max' }), (body) => {
      try {
        assert.equal(decodeHashes(body).hashes.length % 32, 0);
      } catch (failure) {
        assert.ok(failure instanceof WireError && failure.code === 'WIRE_MESSAGE');
      }
    }),
    { numRuns: 300 },
  );
});

test('the framer hands over all three, and refuses a request with hashes in it', () => {
  const heard: number[] = [];
  const sink = { onHashMessage: (id: number) => heard.push(id) } as unknown as PeerMessageSink;
  const ref = { root: new Uint8Array(32), baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  const framer = new PeerFramer(sink);
  const messages = [
    encodeHashRef(MESSAGE.hashRequest, ref),
    encodeHashes(ref, new Uint8Array(64)),
    encodeHashRef(MESSAGE.hashReject, ref),
  ];
  for (const byte of concatBytes(...messages)) framer.push(Uint8Array.of(byte));
  assert.deepEqual(heard, [21, 22, 23]);
  const long = encodeHashes(ref, new Uint8Array(64));
  long[4] = MESSAGE.hashRequest;
  assert.throws(() => framer.push(long), WireError);
});
