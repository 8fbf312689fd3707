import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodePacked, keccak256 } from 'viem';
import {
  ATTO_MAX,
  atto,
  hash32FromBytes,
  parseAddress,
  parseHash32,
  unixSeconds,
  ZERO_ADDRESS,
} from '../units/index.ts';
import { buildLaneTree, depthFor, type LaneTree, verifyLanePath } from './lane-tree.ts';
import { maliciousTree } from './testing/malicious-tree.ts';
import type { AllotmentHeader, Lane, PathStep } from './types.ts';

const ALICE = parseAddress(`0x${'a1'.repeat(20)}`);
const BOB = parseAddress(`0x${'b2'.repeat(20)}`);
const CAROL = parseAddress(`0x${'c3'.repeat(20)}`);

function headerOf(tree: LaneTree): AllotmentHeader {
  const { root, sum, depth, laneCount } = tree;
  const expiry = unixSeconds(1_800_000_000);
  return { payer: ALICE, root, sum, expiry, signer: BOB, depth, laneCount };
}

function packedLeaf(index: number, payee: `0x${string}`, cap: bigint): `0x${string}` {
  const types = ['uint8', 'uint8', 'address', 'uint128'] as const;
  return keccak256(encodePacked(types, [0, index, payee, cap]));
}

function packedNode(
  left: readonly [`0x${string}`, bigint],
  right: readonly [`0x${string}`, bigint],
): `0x${string}` {
  const types = ['uint8', 'bytes32', 'uint128', 'bytes32', 'uint128'] as const;
  return keccak256(encodePacked(types, [1, ...left, ...right]));
}

test('a tree of three lanes hashes as Solidity packs it, with one padding leaf', () => {
  const tree = buildLaneTree([
    { payee: ALICE, cap: atto(10n) },
    { payee: BOB, cap: atto(20n) },
    { payee: CAROL, cap: atto(30n) },
  ]);
  const left = packedNode([packedLeaf(0, ALICE, 10n), 10n], [packedLeaf(1, BOB, 20n), 20n]);
  const right = packedNode([packedLeaf(2, CAROL, 30n), 30n], [packedLeaf(3, ZERO_ADDRESS, 0n), 0n]);
  assert.equal(tree.root, packedNode([left, 30n], [right, 30n]));
  assert.equal(tree.sum, 60n);
  assert.equal(tree.depth, 2);
  assert.deepEqual(
    tree.paths[2]?.map((step) => step.hash),
    [packedLeaf(3, ZERO_ADDRESS, 0n), left],
  );
});

test('a tree of one lane is its leaf, with an empty path', () => {
  const tree = buildLaneTree([{ payee: ALICE, cap: atto(5n) }]);
  assert.equal(tree.root, packedLeaf(0, ALICE, 5n));
  assert.deepEqual(tree.paths, [[]]);
  assert.deepEqual(verifyLanePath(headerOf(tree), tree.lanes[0] as Lane, []), { ok: true });
});

test('the depth is the smallest with room for all lanes', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 64, 65, 128].map(depthFor), [0, 1, 2, 2, 3, 6, 7, 7]);
});

const THREE = buildLaneTree([
  { payee: ALICE, cap: atto(10n) },
  { payee: BOB, cap: atto(20n) },
  { payee: CAROL, cap: atto(30n) },
]);
const CAROLS: Lane = { index: 2, payee: CAROL, cap: atto(30n) };
const CAROLS_PATH = THREE.paths[2] as readonly PathStep[];

function refusal(header: AllotmentHeader, lane: Lane, path: readonly PathStep[]): string {
  const outcome = verifyLanePath(header, lane, path);
  return outcome.ok ? 'ok' : outcome.refusal;
}

test('every way to be outside the tree has its own reason', () => {
  const header = headerOf(THREE);
  const withSum = (sum: bigint): PathStep[] =>
    CAROLS_PATH.map((step, at) => (at === 0 ? { ...step, sum: atto(sum) } : step));
  assert.equal(refusal(header, CAROLS, CAROLS_PATH), 'ok');
  assert.equal(refusal({ ...header, depth: 8 }, CAROLS, CAROLS_PATH), 'path-header');
  assert.equal(refusal({ ...header, laneCount: 5 }, CAROLS, CAROLS_PATH), 'path-header');
  assert.equal(refusal({ ...header, laneCount: 0 }, CAROLS, CAROLS_PATH), 'path-header');
  assert.equal(refusal(header, CAROLS, CAROLS_PATH.slice(1)), 'path-length');
  assert.equal(refusal(header, { ...CAROLS, index: 6 }, CAROLS_PATH), 'path-index');
  const padding = { index: 3, payee: ZERO_ADDRESS, cap: atto(0n) };
  assert.equal(refusal(header, padding, CAROLS_PATH), 'path-lane-count');
  assert.equal(refusal(header, CAROLS, withSum(ATTO_MAX)), 'path-overflow');
  assert.equal(refusal(header, CAROLS, withSum(1n)), 'path-sum');
  assert.equal(refusal(header, { ...CAROLS, payee: BOB }, CAROLS_PATH), 'path-root');
});

test('a payer cannot prove one index at two heights', () => {
  // A root whose left child is itself a leaf of lane 0, for which the payer holds a shorter path.
  const inner = { hash: parseHash32(packedLeaf(0, BOB, 10n)), sum: atto(10n) };
  const right = { hash: parseHash32(packedLeaf(1, CAROL, 5n)), sum: atto(5n) };
  const root = parseHash32(packedNode([inner.hash, inner.sum], [right.hash, right.sum]));
  const header = { ...headerOf(THREE), root, sum: atto(15n), depth: 2, laneCount: 4 };
  const bobs = { index: 0, payee: BOB, cap: atto(10n) };
  assert.equal(refusal(header, bobs, [right]), 'path-length');
});

test('property: every lane of a built tree is provable, and no other way', () => {
  const cap = fc.bigInt({ min: 0n, max: ATTO_MAX / 128n });
  const caps = fc.array(cap, { minLength: 1, maxLength: 128 });
  fc.assert(
    fc.property(caps, fc.nat(), fc.nat(), (amounts, which, where) => {
      const tree = buildLaneTree(
        amounts.map((amount, at) => ({ payee: payeeOf(at), cap: atto(amount) })),
      );
      const header = headerOf(tree);
      const lane = tree.lanes[which % tree.lanes.length] as Lane;
      const path = tree.paths[lane.index] as readonly PathStep[];
      assert.ok(verifyLanePath(header, lane, path).ok);
      assert.equal(refusal(header, { ...lane, cap: atto(lane.cap + 1n) }, path) === 'ok', false);
      assert.equal(refusal(header, { ...lane, payee: ALICE }, path) === 'ok', false);
      const tampered = path.map((step, at) =>
        at === where % path.length ? { ...step, sum: atto(step.sum + 1n) } : step,
      );
      assert.equal(refusal(header, lane, tampered) === 'ok', path.length === 0);
    }),
    { numRuns: 100 },
  );
});

test('property: whatever a payer builds, provable lanes never exceed what is locked', () => {
  const given = { payer: ALICE, signer: BOB, expiry: 1_800_000_000 };
  let proven = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { header, suspects } = maliciousTree(seed, given);
      const best = new Map<number, bigint>();
      for (const { lane, path } of suspects) {
        if (!verifyLanePath(header, lane, path).ok) continue;
        proven++;
        const other = best.get(lane.index) ?? 0n;
        best.set(lane.index, lane.cap > other ? lane.cap : other);
      }
      const total = [...best.values()].reduce((sum, cap) => sum + cap, 0n);
      assert.ok(total <= header.sum, `${total} of ${header.sum} provable`);
    }),
    { numRuns: 1000 },
  );
  // The property says nothing unless a fair part of the lanes can be proven at all.
  assert.ok(proven > 200, `${proven} lanes proven`);
});

function payeeOf(at: number): ReturnType<typeof parseAddress> {
  const hash = hash32FromBytes(new Uint8Array(32).fill(at + 1));
  return parseAddress(hash.slice(0, 42));
}
