/** One file's Merkle tree as far as it is known (BEP 52): its root, its piece layer, and above. */
import { BLOCK_BYTES, concatBytes, equalBytes } from '../units/index.ts';
import {
  type HashRef,
  isProofFor,
  MERKLE_HASH_BYTES,
  merkleLayers,
  merklePad,
  merkleRoot,
  powerOfTwoFrom,
  type Sha256,
} from '../wire/index.ts';

/** A file of a v2 torrent that is not empty. Its first piece begins with it. */
export interface HashedFile {
  readonly firstPiece: number;
  readonly lengthBytes: number;
  /** `pieces root`, 32 bytes. */
  readonly root: Uint8Array;
  /** 32 bytes a piece; null while unknown, and for a file no longer than a piece. */
  readonly layer: Uint8Array | null;
}

/** Layers above the layer of a range of blocks, and where the range begins. */
interface BlockRange {
  readonly layers: readonly Uint8Array[];
  readonly firstPiece: number;
}

/** Heights count from the blocks: 0 is theirs, `pieceLevel` that of the pieces. */
export class HashTree {
  readonly file: HashedFile;
  readonly pieceCount: number;
  readonly pieceLevel: number;
  /** That of the root. */
  readonly height: number;
  readonly #pieceLengthBytes: number;
  readonly #sha256: Sha256;
  #layer: Uint8Array | null;
  /** From the pieces upward; made when first asked for. */
  #upper: readonly Uint8Array[] | null = null;

  constructor(file: HashedFile, pieceLengthBytes: number, sha256: Sha256) {
    const blocks = powerOfTwoFrom(Math.ceil(file.lengthBytes / BLOCK_BYTES));
    this.file = file;
    this.height = Math.log2(blocks);
    this.pieceLevel = Math.min(Math.log2(pieceLengthBytes / BLOCK_BYTES), this.height);
    this.pieceCount = Math.ceil(file.lengthBytes / pieceLengthBytes);
    this.#pieceLengthBytes = pieceLengthBytes;
    this.#sha256 = sha256;
    this.#layer = this.pieceCount === 1 ? file.root : file.layer;
  }

  /** 32 bytes a piece, proven; null while unknown. */
  get layer(): Uint8Array | null {
    return this.#layer;
  }

  /** Bytes of the file in its piece `nth`: padding is not hashed. */
  pieceLength(nth: number): number {
    const left = this.file.lengthBytes - nth * this.#pieceLengthBytes;
    return Math.min(this.#pieceLengthBytes, left);
  }

  /** Takes a whole piece layer; false when it does not lead to the root. */
  setLayer(layer: Uint8Array): boolean {
    const shape = { level: this.pieceLevel };
    const isWhole = layer.length === this.pieceCount * MERKLE_HASH_BYTES;
    if (!isWhole || !equalBytes(merkleRoot(layer, shape, this.#sha256), this.file.root)) {
      return false;
    }
    this.#layer ??= layer;
    return true;
  }

  /** Whether piece `nth` of the file, of which these are the blocks' hashes, is right. */
  isRight(nth: number, blockHashes: Uint8Array): boolean {
    const wanted = this.pieceHash(nth);
    const shape = { level: 0, width: 2 ** this.pieceLevel };
    return wanted !== null && equalBytes(merkleRoot(blockHashes, shape, this.#sha256), wanted);
  }

  /** The root of piece `nth` of the file (borrowed); null while unknown. */
  pieceHash(nth: number): Uint8Array | null {
    const at = nth * MERKLE_HASH_BYTES;
    return this.#layer?.subarray(at, at + MERKLE_HASH_BYTES) ?? null;
  }

  /**
   * The hashes of an answer when they lead to `node`, which stands `height` layers above the base
   * layer and above them; null when they do not, or are too few.
   */
  proven(
    { ref, hashes }: { readonly ref: HashRef; readonly hashes: Uint8Array },
    top: { readonly node: Uint8Array; readonly index: number },
  ): Uint8Array | null {
    const size = ref.length * MERKLE_HASH_BYTES;
    if (hashes.length < size) return null;
    const layer = hashes.subarray(0, size);
    const shape = { level: ref.baseLayer, width: ref.length };
    const node = merkleRoot(layer, shape, this.#sha256);
    const proof = { node, index: top.index, uncles: hashes.subarray(size) };
    return isProofFor(top.node, proof, this.#sha256) ? layer.slice() : null;
  }

  /** Whether a request asks for what the tree has. */
  isSound({ baseLayer, index, length, proofLayers }: HashRef): boolean {
    const width = 2 ** (this.height - baseLayer);
    return (
      baseLayer <= this.height &&
      length > 0 &&
      index % powerOfTwoFrom(length) === 0 &&
      index + length <= width &&
      proofLayers < Math.max(1, this.height - baseLayer)
    );
  }

  /**
   * Pieces of the file whose blocks a sound request is about, `first` to `last`; null when it is
   * about the pieces themselves or what is above them. `first` may lie behind the last piece.
   */
  piecesOf({ baseLayer, index, length }: HashRef): { first: number; last: number } | null {
    if (baseLayer >= this.pieceLevel) return null;
    const perPiece = 2 ** (this.pieceLevel - baseLayer);
    const first = Math.floor(index / perPiece);
    const last = Math.min(this.pieceCount, Math.ceil((index + length) / perPiece)) - 1;
    return { first, last: Math.max(first, last) };
  }

  /**
   * Answers a sound request. One about blocks needs their hashes, all those of the pieces that
   * `piecesOf` names. Null when the layer is unknown, or when the blocks are not right.
   */
  answer(ref: HashRef, blockHashes: Uint8Array | null): Uint8Array | null {
    const upper = this.#upperLayers();
    const pieces = this.piecesOf(ref);
    if (!upper || (pieces === null) !== (blockHashes === null)) return null;
    const range = pieces && blockHashes && this.#rangeOf(pieces.first, blockHashes);
    if (pieces && !range) return null;
    const node = (level: number, index: number): Uint8Array =>
      this.#node(upper, range, { level, index });
    const parts: Uint8Array[] = [];
    for (let nth = 0; nth < ref.length; nth++) parts.push(node(ref.baseLayer, ref.index + nth));
    // Uncles that follow from the hashes themselves are left out, as libtorrent counts them. It
    // asks for a single hash, too, where BEP 52 wants two at least: its sibling is of the proof.
    const given = Math.log2(powerOfTwoFrom(ref.length));
    const end = Math.min(ref.proofLayers + 1, this.height - ref.baseLayer);
    for (let step = given; step < end; step++) {
      parts.push(node(ref.baseLayer + step, Math.floor(ref.index / 2 ** step) ^ 1));
    }
    return concatBytes(...parts);
  }

  #upperLayers(): readonly Uint8Array[] | null {
    if (!this.#layer) return null;
    const shape = { level: this.pieceLevel, height: this.height - this.pieceLevel };
    this.#upper ??= merkleLayers(this.#layer, shape, this.#sha256);
    return this.#upper;
  }

  /** Layers over the blocks of some pieces; null when they do not lead to the pieces' hashes. */
  #rangeOf(firstPiece: number, blockHashes: Uint8Array): BlockRange | null {
    const shape = { level: 0, height: this.pieceLevel };
    const layers = merkleLayers(blockHashes, shape, this.#sha256);
    const top = layers.at(-1) ?? blockHashes;
    const at = firstPiece * MERKLE_HASH_BYTES;
    const wanted = this.#layer?.subarray(at, at + top.length);
    return wanted && equalBytes(wanted, top) ? { layers, firstPiece } : null;
  }

  #node(
    upper: readonly Uint8Array[],
    range: BlockRange | null,
    { level, index }: { readonly level: number; readonly index: number },
  ): Uint8Array {
    const isUpper = level >= this.pieceLevel;
    const first = isUpper ? 0 : (range?.firstPiece ?? 0) * 2 ** (this.pieceLevel - level);
    const layer = isUpper ? upper[level - this.pieceLevel] : range?.layers[level];
    const at = (index - first) * MERKLE_HASH_BYTES;
    const node = layer?.subarray(at, at + MERKLE_HASH_BYTES);
    return node?.length === MERKLE_HASH_BYTES ? node : merklePad(level, this.#sha256);
  }
}
