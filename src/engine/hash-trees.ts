/** The Merkle trees of all files of a v2 or hybrid torrent: which piece is checked by what. */
import { toHex } from '../units/index.ts';
import type { Sha256 } from '../wire/index.ts';
import { type HashedFile, HashTree } from './hash-tree.ts';

/** A piece as its file counts it. */
export interface PlacedPiece {
  readonly tree: HashTree;
  /** Number of the piece in its file, from 0. */
  readonly nth: number;
}

/** Files in torrent order; each begins a piece. */
export class HashTrees {
  readonly #trees: readonly HashTree[];
  readonly #byRoot = new Map<string, HashTree>();

  constructor(files: readonly HashedFile[], pieceLengthBytes: number, sha256: Sha256) {
    this.#trees = files.map((file) => new HashTree(file, pieceLengthBytes, sha256));
    for (const tree of this.#trees) this.#byRoot.set(toHex(tree.file.root), tree);
  }

  /** The tree of a root; null when no file has it. Of equal files, the last. */
  withRoot(root: Uint8Array): HashTree | null {
    return this.#byRoot.get(toHex(root)) ?? null;
  }

  /** Where a piece of the torrent is (binary search); null past the end. */
  find(piece: number): PlacedPiece | null {
    let low = 0;
    let high = this.#trees.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#trees[middle]?.file.firstPiece ?? 0) <= piece) low = middle;
      else high = middle - 1;
    }
    const tree = this.#trees[low];
    return tree ? { tree, nth: piece - tree.file.firstPiece } : null;
  }

  /** Whether a piece can be checked: the layer of its file is known. */
  isKnown(piece: number): boolean {
    return (this.find(piece)?.tree.layer ?? null) !== null;
  }

  /** Trees whose piece layer is not known, each root once. */
  get missing(): readonly HashTree[] {
    return [...this.#byRoot.values()].filter((tree) => tree.layer === null);
  }

  /** Gives a layer to every file with this root; false when it does not lead there. */
  setLayer(root: Uint8Array, layer: Uint8Array): boolean {
    const tree = this.withRoot(root);
    if (!tree?.setLayer(layer)) return false;
    const key = toHex(root);
    for (const other of this.#trees) {
      if (other.layer === null && toHex(other.file.root) === key) other.setLayer(layer);
    }
    return true;
  }

  /** Known layers of files longer than a piece, by root in hex: a torrent's `piece layers`. */
  get layers(): ReadonlyMap<string, Uint8Array> {
    const layers = new Map<string, Uint8Array>();
    for (const [root, { layer, pieceCount }] of this.#byRoot) {
      if (layer && pieceCount > 1) layers.set(root, layer);
    }
    return layers;
  }
}
