import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keccak256 as viemKeccak256 } from 'viem';
import { toHex } from '../units/index.ts';
import { loadKeccak256 } from './keccak.ts';

const keccak256 = await loadKeccak256();

// The Keccak team's short message test vectors, of lengths 0 and 8 bits.
test('the published digests come out', () => {
  const digestOf = (bytes: number[]): string => toHex(keccak256(Uint8Array.from(bytes)));
  assert.equal(digestOf([]), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
  assert.equal(
    digestOf([0xcc]),
    'eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a',
  );
});

test('it agrees with another implementation, whatever came before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      assert.equal(`0x${toHex(keccak256(bytes))}`, viemKeccak256(bytes));
    }),
  );
});

test('a digest stays what it was when the next one is made', () => {
  const first = keccak256(new Uint8Array(1));
  const before = toHex(first);
  keccak256(new Uint8Array(2));
  assert.equal(toHex(first), before);
});
