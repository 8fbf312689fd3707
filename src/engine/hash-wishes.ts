/** What to ask peers for, in requests of at most 512 hashes: a file's piece layer, or a piece. */
import type { Instant } from '../units/index.ts';
import { HASHES_MAX, type HashRef, MERKLE_HASH_BYTES, powerOfTwoFrom } from '../wire/index.ts';
import type { HashCollector } from './hash-collector.ts';
import type { HashTree } from './hash-tree.ts';
import type { PlacedPiece } from './hash-trees.ts';

/** Nobody who has a piece answers for it in this time: then it is done without. */
const BLOCKS_PATIENCE_MS = 15_000;

/** The time of the event being handled. */
export interface TimeSource {
  readonly now: Instant;
}

/** Where wishes go. */
export interface WishTarget {
  readonly collector: HashCollector;
  readonly engine: TimeSource;
}

/** Wishes for the whole piece layer of a file; `done` gets it once all parts are proven. */
export function wishForLayer(
  tree: HashTree,
  { collector, engine }: WishTarget,
  done: (layer: Uint8Array) => void,
): void {
  const layer = new Uint8Array(tree.pieceCount * MERKLE_HASH_BYTES);
  const steps = tree.height - tree.pieceLevel;
  let missing = Math.ceil(tree.pieceCount / HASHES_MAX);
  for (let index = 0; index < tree.pieceCount; index += HASHES_MAX) {
    const left = Math.min(HASHES_MAX, tree.pieceCount - index);
    const ref = refOf(tree, {
      baseLayer: tree.pieceLevel,
      index,
      length: Math.max(2, powerOfTwoFrom(left)),
      proofLayers: steps - 1,
    });
    const onAnswer = (hashes: Uint8Array): boolean => {
      const top = { node: tree.file.root, index: index / ref.length };
      const proven = tree.proven({ ref, hashes }, top);
      if (!proven) return false;
      layer.set(proven.subarray(0, left * MERKLE_HASH_BYTES), index * MERKLE_HASH_BYTES);
      if (--missing === 0) done(layer);
      return true;
    };
    collector.add({ ref, onAnswer }, engine.now);
  }
}

/** How the blocks of a piece are asked for. */
export interface BlocksRequest extends PlacedPiece {
  /** Who gave the blocks: others are asked first. */
  readonly givers: ReadonlySet<number>;
  /** The hashes of all blocks of the piece, pads included; null when nobody has told. */
  readonly done: (hashes: Uint8Array | null) => void;
}

/** Wishes for the hashes of a piece's blocks, proven by the piece's hash, which is known. */
export function wishForBlocks(request: BlocksRequest, { collector, engine }: WishTarget): void {
  const { tree, nth, givers, done } = request;
  const node = tree.pieceHash(nth);
  const width = 2 ** tree.pieceLevel;
  const length = Math.min(HASHES_MAX, width);
  if (!node || width < 2) {
    done(null);
    return;
  }
  const blocks = new Uint8Array(width * MERKLE_HASH_BYTES);
  let missing = width / length;
  for (let at = 0; at < width; at += length) {
    const proofLayers = length === width ? 0 : tree.pieceLevel - 1;
    const ref = refOf(tree, { baseLayer: 0, index: nth * width + at, length, proofLayers });
    const onAnswer = (hashes: Uint8Array): boolean => {
      const proven = tree.proven({ ref, hashes }, { node, index: at / length });
      if (!proven) return false;
      blocks.set(proven, at * MERKLE_HASH_BYTES);
      if (--missing === 0) done(blocks);
      return true;
    };
    const onGiveUp = (): void => {
      // One part that nobody has is enough; the others may still come, for nothing.
      if (missing > 0) done(null);
      missing = -1;
    };
    collector.add(
      { ref, onAnswer, onGiveUp, patienceMs: BLOCKS_PATIENCE_MS, avoid: givers },
      engine.now,
    );
  }
}

function refOf(tree: HashTree, rest: Omit<HashRef, 'root'>): HashRef {
  return { root: tree.file.root, ...rest };
}
