/**
 * Trees as a cheating payer would build them, and lanes as it would offer them, from a seed: for
 * the
 * properties of this layer and for comparing it with the contract.
 */
import {
  type Address,
  ATTO_MAX,
  type Atto,
  atto,
  hash32FromBytes,
  parseAddress,
  type Random,
  randomInt,
  seededRandom,
  toHex,
  unixSeconds,
  ZERO_ADDRESS,
} from '../../units/index.ts';
import { leafHash, nodeHash, type TreeNode } from '../lane-tree.ts';
import type { AllotmentHeader, Lane, PathStep } from '../types.ts';

/** Something a payer might send as a lane: true, stretched, or made up. */
export interface SuspectLane {
  /** What was done to it, for a test's message. */
  readonly trick: string;
  readonly lane: Lane;
  readonly path: readonly PathStep[];
}

/** A tree whose sums may be lies, with everything its maker could try with it. */
export interface MaliciousTree {
  readonly header: AllotmentHeader;
  readonly suspects: readonly SuspectLane[];
}

/** Same seed, same tree. The header is one that the contract opens. */
export function maliciousTree(
  seed: number,
  given: { readonly payer: Address; readonly signer: Address; readonly expiry: number },
): MaliciousTree {
  const random = seededRandom(seed);
  const depth = randomInt(random, 10) === 0 ? 7 : randomInt(random, 5);
  const scale = pick(random, [ATTO_MAX, ATTO_MAX / 64n, 10n ** 18n, 40n]);
  const lanes = Array.from({ length: 1 << depth }, (_, at) => oddLane(random, at, scale));
  const levels: TreeNode[][] = [lanes.map((lane) => ({ hash: leafHash(lane), sum: lane.cap }))];
  for (let height = 0; height < depth; height++) {
    levels.push(lyingLevel(random, levels[height] ?? [], scale));
  }
  const root = levels[depth]?.[0] as TreeNode;
  const unused = randomInt(random, 2) === 0 ? 0 : randomInt(random, 1 << depth);
  const header: AllotmentHeader = {
    payer: given.payer,
    root: root.hash,
    // The contract opens no empty allotment.
    sum: randomInt(random, 4) === 0 ? atto(amountUpTo(random, scale) + 1n) : atLeastOne(root.sum),
    expiry: unixSeconds(given.expiry),
    signer: given.signer,
    depth,
    laneCount: (1 << depth) - unused,
  };
  const suspects = lanes.flatMap((lane, position) => {
    const path = pathOf(levels, position);
    return [{ trick: 'as built', lane, path }, tampered(random, { lane, path, scale })];
  });
  return { header, suspects: [...suspects, ...innerNodesAsLanes(lanes, levels)] };
}

/** A leaf that may claim another index than its place, or stand for nobody. */
function oddLane(random: Random, position: number, scale: bigint): Lane {
  const isMisplaced = randomInt(random, 8) === 0;
  return {
    index: isMisplaced ? randomInt(random, 128) : position,
    payee: randomInt(random, 12) === 0 ? ZERO_ADDRESS : randomAddress(random),
    cap: atto(amountUpTo(random, scale)),
  };
}

/** Parents that tell the truth about their children's sums three times of four. */
function lyingLevel(random: Random, level: readonly TreeNode[], scale: bigint): TreeNode[] {
  const parents: TreeNode[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at] as TreeNode, level[at + 1] as TreeNode];
    const truth = left.sum + right.sum;
    const lies = [truth / 2n, left.sum, 0n, amountUpTo(random, scale), truth - 1n];
    const said = randomInt(random, 4) > 0 ? truth : pick(random, lies);
    // Beyond 128 bits even the truth becomes a lie: what a careless verifier would wrap to.
    parents.push({ hash: nodeHash(left, right), sum: atto(BigInt.asUintN(128, said)) });
  }
  return parents;
}

/** The same lane with one thing about it changed. */
function tampered(
  random: Random,
  given: { readonly lane: Lane; readonly path: readonly PathStep[]; readonly scale: bigint },
): SuspectLane {
  const { lane, path } = given;
  const step = randomInt(random, Math.max(1, path.length));
  const withStep = (change: (old: PathStep) => PathStep): readonly PathStep[] =>
    path.map((old, at) => (at === step ? change(old) : old));
  const extra = { hash: hash32FromBytes(randomBytes(random, 32)), sum: atto(0n) };
  const more = atto(lane.cap < ATTO_MAX ? lane.cap + 1n : lane.cap - 1n);
  return pick(random, [
    { trick: 'another cap', lane: { ...lane, cap: more }, path },
    { trick: 'another payee', lane: { ...lane, payee: randomAddress(random) }, path },
    { trick: 'the next index', lane: { ...lane, index: (lane.index + 1) % 128 }, path },
    { trick: 'an index beyond the depth', lane: { ...lane, index: lane.index ^ 64 }, path },
    { trick: 'a step more', lane, path: [...path, extra] },
    { trick: 'a step less', lane, path: path.slice(0, -1) },
    { trick: 'another hash', lane, path: withStep((old) => ({ ...old, hash: extra.hash })) },
    {
      trick: 'a sum of nothing',
      lane: { ...lane, cap: atto(amountUpTo(random, given.scale)) },
      path: withStep((old) => ({ ...old, sum: atto(0n) })),
    },
    {
      trick: 'a sum that overflows',
      lane,
      path: withStep((old) => ({ ...old, sum: atto(ATTO_MAX) })),
    },
  ]);
}

/** A leaf at the left edge proven from one level up: the same index at two heights. */
function innerNodesAsLanes(
  lanes: readonly Lane[],
  levels: readonly (readonly TreeNode[])[],
): SuspectLane[] {
  const [first] = lanes;
  if (!first || levels.length < 2) return [];
  return [{ trick: 'a height too high', lane: first, path: pathOf(levels.slice(1), 0) }];
}

function pathOf(levels: readonly (readonly TreeNode[])[], position: number): PathStep[] {
  return levels.slice(0, -1).map((level, height) => level[(position >> height) ^ 1] as TreeNode);
}

function amountUpTo(random: Random, most: bigint): bigint {
  const wide = BigInt(`0x${toHex(randomBytes(random, 17))}`);
  return wide % most;
}

function atLeastOne(sum: Atto): Atto {
  return sum === 0n ? atto(1n) : sum;
}

function randomAddress(random: Random): Address {
  return parseAddress(`0x${toHex(randomBytes(random, 20))}`);
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => randomInt(random, 256));
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[randomInt(random, choices.length)] as T;
}
