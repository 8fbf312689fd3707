import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { domainSeparator, encodeAbiParameters, hashTypedData, keccak256 } from 'viem';
import {
  ATTO_MAX,
  addressFromBytes,
  atto,
  hash32FromBytes,
  parseAddress,
  parseHash32,
  toHex,
  unixSeconds,
} from '../units/index.ts';
import { DOMAIN_NAME, DOMAIN_VERSION, EscrowDigests } from './digests.ts';
import { allotmentId, headerHash } from './header.ts';
import type { AllotmentHeader, EscrowDomain, Voucher } from './types.ts';

const DOMAIN: EscrowDomain = { chainId: 199, escrow: parseAddress(`0x${'5e'.repeat(20)}`) };
const PAYEE = parseAddress(`0x${'b2'.repeat(20)}`);

const TYPES = {
  Voucher: [
    { name: 'allotment', type: 'bytes32' },
    { name: 'lane', type: 'uint8' },
    { name: 'amount', type: 'uint128' },
  ],
  Collect: [
    { name: 'allotment', type: 'bytes32' },
    { name: 'lane', type: 'uint8' },
    { name: 'amount', type: 'uint128' },
    { name: 'payee', type: 'address' },
  ],
  Bind: [
    { name: 'infoHash', type: 'bytes20' },
    { name: 'signerPeerId', type: 'bytes20' },
    { name: 'remotePeerId', type: 'bytes20' },
    { name: 'payee', type: 'address' },
  ],
} as const;

function viemDomain(domain: EscrowDomain): {
  name: string;
  version: string;
  chainId: number;
  verifyingContract: `0x${string}`;
} {
  const { chainId, escrow } = domain;
  return { name: DOMAIN_NAME, version: DOMAIN_VERSION, chainId, verifyingContract: escrow };
}

const hex = (view: Uint8Array): `0x${string}` => `0x${toHex(view)}`;
const filled = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);

test('the domain separator is that of EIP-712', () => {
  const expected = domainSeparator({ domain: viemDomain(DOMAIN) });
  assert.equal(new EscrowDigests(DOMAIN).separator, expected);
});

test('a digest does not depend on what was hashed before it', () => {
  const digests = new EscrowDigests(DOMAIN);
  const small: Voucher = {
    allotment: parseHash32(`0x${'00'.repeat(32)}`),
    lane: 0,
    amount: atto(0n),
  };
  const large: Voucher = {
    allotment: parseHash32(`0x${'ff'.repeat(32)}`),
    lane: 127,
    amount: atto(ATTO_MAX),
  };
  const before = digests.voucher(small);
  digests.voucher(large);
  digests.collect(large, PAYEE);
  assert.deepEqual(digests.voucher(small), before);
});

test('the two ends of a connection sign different bindings, so none can be sent back', () => {
  const digests = new EscrowDigests(DOMAIN);
  const ours = {
    infoHash: filled(1),
    signerPeerId: filled(2),
    remotePeerId: filled(3),
    payee: PAYEE,
  };
  const theirs = { ...ours, signerPeerId: filled(3), remotePeerId: filled(2) };
  assert.notDeepEqual(digests.bind(ours), digests.bind(theirs));
});

test('property: digests equal those of a general EIP-712 encoder, byte for byte', () => {
  const twenty = fc.uint8Array({ minLength: 20, maxLength: 20 });
  const cases = fc.record({
    chainId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    escrow: twenty.map(addressFromBytes),
    allotment: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hash32FromBytes),
    lane: fc.integer({ min: 0, max: 127 }),
    amount: fc.bigInt({ min: 0n, max: ATTO_MAX }).map(atto),
    payee: twenty.map(addressFromBytes),
    ids: fc.tuple(twenty, twenty, twenty),
  });
  fc.assert(
    fc.property(cases, ({ chainId, escrow, allotment, lane, amount, payee, ids }) => {
      const digests = new EscrowDigests({ chainId, escrow });
      const voucher: Voucher = { allotment, lane, amount };
      const [infoHash, signerPeerId, remotePeerId] = ids;
      const domain = viemDomain({ chainId, escrow });
      assert.equal(
        hex(digests.voucher(voucher)),
        hashTypedData({ domain, types: TYPES, primaryType: 'Voucher', message: voucher }),
      );
      assert.equal(
        hex(digests.collect(voucher, payee)),
        hashTypedData({
          ...{ domain, types: TYPES, primaryType: 'Collect' },
          message: { ...voucher, payee },
        }),
      );
      assert.equal(
        hex(digests.bind({ infoHash, signerPeerId, remotePeerId, payee })),
        hashTypedData({
          ...{ domain, types: TYPES, primaryType: 'Bind' },
          message: {
            infoHash: hex(infoHash),
            signerPeerId: hex(signerPeerId),
            remotePeerId: hex(remotePeerId),
            payee,
          },
        }),
      );
    }),
    { numRuns: 200 },
  );
});

test('header hash and allotment id are what abi.encode gives', () => {
  const header: AllotmentHeader = {
    payer: parseAddress(`0x${'11'.repeat(20)}`),
    root: parseHash32(`0x${'22'.repeat(32)}`),
    sum: atto(ATTO_MAX - 5n),
    expiry: unixSeconds(2 ** 40 + 3),
    signer: parseAddress(`0x${'33'.repeat(20)}`),
    depth: 7,
    laneCount: 128,
  };
  const words = ['address', 'bytes32', 'uint128', 'uint64', 'address', 'uint8', 'uint8'];
  const encoded = encodeAbiParameters(
    words.map((type) => ({ type })),
    [
      ...[header.payer, header.root, header.sum, BigInt(header.expiry)],
      ...[header.signer, header.depth, header.laneCount],
    ],
  );
  assert.equal(headerHash(header), keccak256(encoded));
  const id = encodeAbiParameters(
    [{ type: 'address' }, { type: 'bytes32' }],
    [header.payer, header.root],
  );
  assert.equal(allotmentId(header.payer, header.root), keccak256(id));
});
