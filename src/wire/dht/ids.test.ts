import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, seededRandom, toHex } from '../../units/index.ts';
import { parseIp } from '../tracker/endpoint.ts';
import {
  addToBloomFilter,
  BLOOM_FILTER_BYTES,
  compareDistance,
  crc32c,
  estimateBloomFilter,
  isSecureNodeId,
  nodeIdAtDistance,
  randomNodeId,
  secureNodeId,
  sharedPrefixBits,
  uniteBloomFilters,
} from './index.ts';

const ip = (text: string): Uint8Array => parseIp(text) ?? assert.fail(text);
const sha1 = (view: Uint8Array): Uint8Array => createHash('sha1').update(view).digest();
const nodeId = fc.uint8Array({ minLength: 20, maxLength: 20 });

/** BEP 42, "test vectors". */
const SECURE_IDS = [
  ['124.31.75.21', '5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401'],
  ['21.75.31.124', '5a3ce9c14e7a08645677bbd1cfe7d8f956d53256'],
  ['65.23.51.170', 'a5d43220bc8f112a3d426c84764f8c2a1150e616'],
  ['84.124.73.14', '1b0321dd1bb1fe518101ceef99462b947a01ff41'],
  ['43.213.53.83', 'e56f6cbf5b7c4be0237986d5243b87aa6d51305a'],
] as const;

for (const [address, id] of SECURE_IDS) {
  test(`BEP 42: ${id} may be at ${address} and nowhere else`, () => {
    assert.equal(isSecureNodeId(fromHex(id), ip(address)), true);
    const others = SECURE_IDS.filter(([other]) => other !== address);
    for (const [other] of others) assert.equal(isSecureNodeId(fromHex(id), ip(other)), false);
  });
}

test('BEP 42: one wrong bit among the first 21, or another last byte, gives an id away', () => {
  const [address, text] = SECURE_IDS[0];
  for (const bit of [0, 7, 12, 20]) {
    const id = fromHex(text);
    id[bit >> 3] = (id[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    assert.equal(isSecureNodeId(id, ip(address)), false, `bit ${bit}`);
  }
  const free = fromHex(text);
  free[2] = (free[2] ?? 0) ^ 0x07;
  free[10] = 0;
  assert.equal(isSecureNodeId(free, ip(address)), true);
  free[19] = (free[19] ?? 0) ^ 0x01;
  assert.equal(isSecureNodeId(free, ip(address)), false);
});

test('the check value of CRC-32C (RFC 3720)', () => {
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283);
});

test('every id made for an address passes the check for it, in both families', () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => parseIp(text) !== null),
  );
  fc.assert(
    fc.property(address, fc.integer(), (text, seed) => {
      const made = secureNodeId(ip(text), seededRandom(seed));
      assert.equal(isSecureNodeId(made, ip(text)), true);
    }),
    { numRuns: 1000 },
  );
});

test('distance is an order around the target, and zero only to itself', () => {
  fc.assert(
    fc.property(nodeId, nodeId, nodeId, (target, a, b) => {
      assert.equal(compareDistance(target, a, a), 0);
      assert.equal(
        Math.sign(compareDistance(target, a, b)),
        -Math.sign(compareDistance(target, b, a)) + 0,
      );
      assert.ok(compareDistance(target, target, a) <= 0);
      const distance = (id: Uint8Array): bigint =>
        BigInt(`0x${toHex(id)}`) ^ BigInt(`0x${toHex(target)}`);
      assert.equal(compareDistance(target, a, b) < 0, distance(a) < distance(b));
    }),
    { numRuns: 1000 },
  );
});

test('an id at a distance shares exactly so many bits', () => {
  fc.assert(
    fc.property(nodeId, fc.integer({ min: 0, max: 160 }), fc.integer(), (id, bits, seed) => {
      assert.equal(sharedPrefixBits(id, nodeIdAtDistance(id, bits, seededRandom(seed))), bits);
    }),
    { numRuns: 1000 },
  );
  assert.equal(randomNodeId(seededRandom(1)).length, 20);
});

/** BEP 33, "Test Vectors". */
const FILTER = `
  F6C3F5EA A07FFD91 BDE89F77 7F26FB2B FF37BDB8 FB2BBAA2 FD3DDDE7 BACFFF75 EE7CCBAE
  FE5EEDB1 FBFAFF67 F6ABFF5E 43DDBCA3 FD9B9FFD F4FFD3E9 DFF12D1B DF59DB53 DBE9FA5B
  7FF3B8FD FCDE1AFB 8BEDD7BE 2F3EE71E BBBFE93B CDEEFE14 8246C2BC 5DBFF7E7 EFDCF24F
  D8DC7ADF FD8FFFDF DDFFF7A4 BBEEDF5C B95CE81F C7FCFF1F F4FFFFDF E5F7FDCB B7FD79B3
  FA1FC77B FE07FFF9 05B7B7FF C7FEFEFF E0B8370B B0CD3F5B 7F2BD93F EB4386CF DD6F7FD5
  BFAF2E9E BFFFFEEC D67ADBF7 C67F17EF D5D75EBA 6FFEBA7F FF47A91E B1BFBB53 E8ABFB57
  62ABE8FF 237279BF EFBFEEF5 FFC5FEBF DFE5ADFF ADFEE1FB 737FFFFB FD9F6AEF FEEE76B6
  FD8F72EF`.replaceAll(/\s/g, '');

test('BEP 33: 192.0.2.0/24 and a thousand IPv6 addresses make the filter of the vector', () => {
  const v4 = new Uint8Array(BLOOM_FILTER_BYTES);
  for (let last = 0; last <= 0xff; last++) addToBloomFilter(v4, ip(`192.0.2.${last}`), sha1);
  const v6 = new Uint8Array(BLOOM_FILTER_BYTES);
  for (let last = 0; last <= 0x3e7; last++) {
    addToBloomFilter(v6, ip(`2001:db8::${last.toString(16)}`), sha1);
  }
  const both = v4.slice();
  uniteBloomFilters(both, v6);
  assert.equal(toHex(both), FILTER.toLowerCase());
  // The BEP cuts the number off: it is 1224.93087.
  assert.ok(Math.abs(estimateBloomFilter(both) - 1224.9308) < 0.0001);
});

test('an empty filter holds nobody, a full one a finite number', () => {
  assert.equal(estimateBloomFilter(new Uint8Array(BLOOM_FILTER_BYTES)), 0);
  assert.ok(Number.isFinite(estimateBloomFilter(new Uint8Array(BLOOM_FILTER_BYTES).fill(0xff))));
});
