/**
 * The Merkle-sum tree that divides an allotment into lanes. Every node commits to both children's
 * hashes and sums, so the lanes that can be proven never add up to more than the contract locked.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import {
  type Address,
  ATTO_MAX,
  type Atto,
  assert,
  atto,
  type Hash32,
  hash32FromBytes,
  ZERO_ADDRESS,
  ZERO_ATTO,
} from '../units/index.ts';
import { Cursor } from './cursor.ts';
import type { AllotmentHeader, Lane, PathStep } from './types.ts';

/** Lanes of one allotment, at most: one bit each in half a storage word. */
export const LANES_MAX = 128;

/** Highest depth of a tree. */
export const TREE_DEPTH_MAX = 7;

/** A built tree: what the payer opens on the chain and sends to its payees. */
export interface LaneTree {
  readonly root: Hash32;
  /** Sum of all caps. */
  readonly sum: Atto;
  /** Levels above the leaves: the smallest with room for all lanes. */
  readonly depth: number;
  readonly laneCount: number;
  readonly lanes: readonly Lane[];
  /** Siblings of each lane from the leaf upward, `depth` of them, by lane index. */
  readonly paths: readonly (readonly PathStep[])[];
}

/**
 * Why a lane is not in the tree that a header names.
 *
 * `path-header`: depth or lane count that the contract never opens. `path-length`: not as long as
 * the
 * depth. `path-index`: the index is not used up at the root. `path-lane-count`: a padding leaf.
 * `path-overflow`: sums beyond 128 bits. `path-sum`, `path-root`: not the header's.
 */
export type PathRefusal =
  | 'path-header'
  | 'path-length'
  | 'path-index'
  | 'path-lane-count'
  | 'path-overflow'
  | 'path-sum'
  | 'path-root';

/** Verdict on a path. */
export type PathOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly refusal: PathRefusal };

/** One leaf or inner node: its hash and what lies below it. */
export type TreeNode = PathStep;

/** Builds the tree over 1 … 128 lanes in the order given; unused leaves pay nobody nothing. */
export function buildLaneTree(
  wanted: readonly { readonly payee: Address; readonly cap: Atto }[],
): LaneTree {
  assert(wanted.length >= 1 && wanted.length <= LANES_MAX, `${wanted.length} lanes in a tree`);
  const lanes = wanted.map(({ payee, cap }, index): Lane => ({ index, payee, cap }));
  const depth = depthFor(lanes.length);
  const levels: TreeNode[][] = [paddedLeaves(lanes, depth)];
  for (let height = 0; height < depth; height++) levels.push(pairUp(levels[height] ?? []));
  const root = levels[depth]?.[0];
  assert(root, 'a tree ends in one node');
  return {
    root: root.hash,
    sum: root.sum,
    depth,
    laneCount: lanes.length,
    lanes,
    paths: lanes.map(({ index }) => siblings(levels, index)),
  };
}

/**
 * Whether the tree of `header` holds `lane`, by the contract's own rules.
 *
 * The path must be as long as the committed depth and use the whole index up: else one index could
 * be
 * proven at two heights, and a payer could spend a payee's lane with one of its own.
 */
export function verifyLanePath(
  header: AllotmentHeader,
  lane: Lane,
  path: readonly PathStep[],
): PathOutcome {
  const { depth, laneCount } = header;
  if (depth > TREE_DEPTH_MAX || laneCount < 1 || laneCount > 1 << depth) {
    return refuse('path-header');
  }
  if (path.length !== depth) return refuse('path-length');
  if (lane.index >> depth !== 0) return refuse('path-index');
  if (lane.index >= laneCount) return refuse('path-lane-count');
  let node: TreeNode = { hash: leafHash(lane), sum: lane.cap };
  for (const [height, sibling] of path.entries()) {
    if (node.sum + sibling.sum > ATTO_MAX) return refuse('path-overflow');
    const isRight = ((lane.index >> height) & 1) === 1;
    node = isRight ? joinNodes(sibling, node) : joinNodes(node, sibling);
  }
  if (node.sum !== header.sum) return refuse('path-sum');
  return node.hash === header.root ? { ok: true } : refuse('path-root');
}

/** Smallest depth whose tree has room for `laneCount` lanes. */
export function depthFor(laneCount: number): number {
  return laneCount <= 1 ? 0 : 32 - Math.clz32(laneCount - 1);
}

/** keccak256(0x00 ‖ index:1 ‖ payee:20 ‖ cap:16). */
export function leafHash(lane: Lane): Hash32 {
  const packed = new Cursor(38);
  packed.putUint8(1, lane.index);
  packed.putHash(2, lane.payee);
  packed.putUint128(22, lane.cap);
  return hash32FromBytes(keccak_256(packed.bytes));
}

/** keccak256(0x01 ‖ left:32 ‖ leftSum:16 ‖ right:32 ‖ rightSum:16). */
export function nodeHash(left: TreeNode, right: TreeNode): Hash32 {
  const packed = new Cursor(97);
  packed.putUint8(0, 1);
  packed.putHash(1, left.hash);
  packed.putUint128(33, left.sum);
  packed.putHash(49, right.hash);
  packed.putUint128(81, right.sum);
  return hash32FromBytes(keccak_256(packed.bytes));
}

function joinNodes(left: TreeNode, right: TreeNode): TreeNode {
  return { hash: nodeHash(left, right), sum: atto(left.sum + right.sum) };
}

function paddedLeaves(lanes: readonly Lane[], depth: number): TreeNode[] {
  return Array.from({ length: 1 << depth }, (_, index) => {
    const lane = lanes[index] ?? { index, payee: ZERO_ADDRESS, cap: ZERO_ATTO };
    return { hash: leafHash(lane), sum: lane.cap };
  });
}

function pairUp(level: readonly TreeNode[]): TreeNode[] {
  const parents: TreeNode[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]];
    assert(left && right, 'a level has an even number of nodes');
    parents.push(joinNodes(left, right));
  }
  return parents;
}

function siblings(levels: readonly (readonly TreeNode[])[], index: number): PathStep[] {
  return levels.slice(0, -1).map((level, height) => {
    const sibling = level[(index >> height) ^ 1];
    assert(sibling, 'every node below the root has a sibling');
    return sibling;
  });
}

function refuse(refusal: PathRefusal): PathOutcome {
  return { ok: false, refusal };
}
