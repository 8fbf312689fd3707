/** Merkle trees over 16 KiB blocks (BEP 52): roots, layers and proofs. */
import { assert, BLOCK_BYTES, equalBytes } from '../../units/index.ts';

/** Bytes of a node. */
export const MERKLE_HASH_BYTES: number = 32;

/** SHA-256 of a view, 32 bytes. */
export type Sha256 = (view: Uint8Array) => Uint8Array;

/** A file's tree, as far as a torrent carries it. */
export interface FileTree {
  /** `pieces root`. */
  readonly root: Uint8Array;
  /** 32 bytes a piece; empty for a file no longer than a piece, whose root says it all. */
  readonly pieceLayer: Uint8Array;
}

/** Hashes of consecutive 16 KiB blocks, joined; the last block may be shorter, none is padded. */
export function hashBlocks(view: Uint8Array, sha256: Sha256): Uint8Array {
  const count = Math.ceil(view.length / BLOCK_BYTES);
  const hashes = new Uint8Array(count * MERKLE_HASH_BYTES);
  for (let index = 0; index < count; index++) {
    const block = view.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    hashes.set(sha256(block), index * MERKLE_HASH_BYTES);
  }
  return hashes;
}

/**
 * The root of the subtree of `2^levels` leaves that are all zero hashes: what stands past the end
 * of a file at that height. Height 0 is the zero hash itself.
 */
export function merklePad(levels: number, sha256: Sha256): Uint8Array {
  let pad: Uint8Array = new Uint8Array(MERKLE_HASH_BYTES);
  for (let level = 0; level < levels; level++) pad = hashPair(pad, pad, sha256);
  return pad;
}

/** What a layer is completed with to reach a root. */
export interface MerkleShape {
  /** Height of the layer over the blocks: 0 for blocks, log2(blocks a piece) for pieces. */
  readonly level: number;
  /** Width to complete the layer to, a power of two; the next one when left out. */
  readonly width?: number;
}

/** The root over a layer of joined hashes, completed on the right. At least one hash. */
export function merkleRoot(layer: Uint8Array, shape: MerkleShape, sha256: Sha256): Uint8Array {
  const count = layer.length / MERKLE_HASH_BYTES;
  assert(Number.isInteger(count) && count > 0, `a layer of ${layer.length} bytes`);
  const width = shape.width ?? powerOfTwoFrom(count);
  assert(width >= count, `${count} hashes do not fit a layer of ${width}`);
  let nodes = layer;
  let pad = merklePad(shape.level, sha256);
  for (let left = width; left > 1; left /= 2) {
    nodes = parentLayer(nodes, pad, sha256);
    pad = hashPair(pad, pad, sha256);
  }
  return nodes.slice();
}

/**
 * The layers over a layer of joined hashes, itself first: `height` of them above it. Nodes past
 * the end of the file are left out; `merklePad` says what stands there.
 */
export function merkleLayers(
  layer: Uint8Array,
  shape: { readonly level: number; readonly height: number },
  sha256: Sha256,
): readonly Uint8Array[] {
  const layers = [layer];
  let pad = merklePad(shape.level, sha256);
  let nodes = layer;
  for (let step = 0; step < shape.height; step++) {
    nodes = parentLayer(nodes, pad, sha256);
    pad = hashPair(pad, pad, sha256);
    layers.push(nodes);
  }
  return layers;
}

/** The tree of a whole file from the joined hashes of its blocks. */
export function fileTree(
  blockHashes: Uint8Array,
  pieceLengthBytes: number,
  sha256: Sha256,
): FileTree {
  const blocks = blockHashes.length / MERKLE_HASH_BYTES;
  const width = pieceLengthBytes / BLOCK_BYTES;
  if (blocks <= width) {
    return { root: merkleRoot(blockHashes, { level: 0 }, sha256), pieceLayer: new Uint8Array(0) };
  }
  const pieceLayer = new Uint8Array(Math.ceil(blocks / width) * MERKLE_HASH_BYTES);
  for (let at = 0; at < pieceLayer.length; at += MERKLE_HASH_BYTES) {
    const piece = blockHashes.subarray(at * width, (at + MERKLE_HASH_BYTES) * width);
    pieceLayer.set(merkleRoot(piece, { level: 0, width }, sha256), at);
  }
  return { root: pieceLayerRoot(pieceLayer, pieceLengthBytes, sha256), pieceLayer };
}

/** The `pieces root` that a piece layer belongs to. */
export function pieceLayerRoot(
  pieceLayer: Uint8Array,
  pieceLengthBytes: number,
  sha256: Sha256,
): Uint8Array {
  return merkleRoot(pieceLayer, { level: Math.log2(pieceLengthBytes / BLOCK_BYTES) }, sha256);
}

/** A claim that a subtree's root stands at an index of its layer in a file's tree. */
export interface MerkleProof {
  readonly node: Uint8Array;
  readonly index: number;
  /** Siblings on the way up, joined, lowest first (`hashes` of BEP 52 after the layer). */
  readonly uncles: Uint8Array;
}

/** Whether the proof leads to `root`. */
export function isProofFor(root: Uint8Array, proof: MerkleProof, sha256: Sha256): boolean {
  let node = proof.node;
  let index = proof.index;
  for (let at = 0; at < proof.uncles.length; at += MERKLE_HASH_BYTES) {
    const uncle = proof.uncles.subarray(at, at + MERKLE_HASH_BYTES);
    if (uncle.length < MERKLE_HASH_BYTES) return false;
    node = index % 2 === 0 ? hashPair(node, uncle, sha256) : hashPair(uncle, node, sha256);
    index = Math.floor(index / 2);
  }
  return index === 0 && equalBytes(node, root);
}

/** The smallest power of two that is at least `count`. */
export function powerOfTwoFrom(count: number): number {
  let width = 1;
  while (width < count) width *= 2;
  return width;
}

function parentLayer(nodes: Uint8Array, pad: Uint8Array, sha256: Sha256): Uint8Array {
  const count = Math.ceil(nodes.length / MERKLE_HASH_BYTES / 2);
  const parents = new Uint8Array(count * MERKLE_HASH_BYTES);
  for (let index = 0; index < count; index++) {
    const pair = nodes.subarray(index * 64, (index + 1) * 64);
    const parent = pair.length === 64 ? sha256(pair) : hashPair(pair, pad, sha256);
    parents.set(parent, index * MERKLE_HASH_BYTES);
  }
  return parents;
}

function hashPair(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const pair = new Uint8Array(2 * MERKLE_HASH_BYTES);
  pair.set(left);
  pair.set(right, MERKLE_HASH_BYTES);
  return sha256(pair);
}
