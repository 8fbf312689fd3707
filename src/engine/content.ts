/** The shape of a torrent's data: pieces and blocks as numbers. */
import { assert, BLOCK_BYTES } from '../units/index.ts';
import type { HashedFile } from './hash-tree.ts';

/** What the engine must know of a torrent's info dictionary. */
export interface TorrentContent {
  readonly name: string;
  readonly pieceLengthBytes: number;
  /** Of the piece space, padding counted. */
  readonly totalBytes: number;
  /** 20 bytes of SHA-1 per piece (BEP 3); null in a torrent that has v2 hashes alone. */
  readonly pieceHashes: Uint8Array | null;
  /** The files that are not empty, in order, with their Merkle trees (BEP 52); null in v1. */
  readonly hashedFiles?: readonly HashedFile[] | null;
  /** The exact bytes of the info dictionary, served to peers that have only a magnet (BEP 9). */
  readonly infoBytes: Uint8Array;
  /** Peers may be found through its trackers alone (BEP 27). */
  readonly isPrivate?: boolean;
}

/** What a geometry is made of. */
export type ContentShape = Pick<TorrentContent, 'pieceLengthBytes' | 'totalBytes'> &
  Partial<Pick<TorrentContent, 'pieceHashes' | 'hashedFiles'>>;

/** Where pieces and blocks begin and how long they are. */
export class PieceGeometry {
  readonly pieceLengthBytes: number;
  /** What there is to download. In a torrent with v2 alone, padding is not. */
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly blocksPerPiece: number;
  /** Of the piece space, padding counted. */
  readonly #spaceBytes: number;
  /** In v2 the last piece of each file may be short (BEP 52); null in all other torrents. */
  readonly #shortPieces: ReadonlyMap<number, number> | null;

  constructor(content: ContentShape) {
    assert(content.pieceLengthBytes > 0, 'a piece has a length');
    const { pieceLengthBytes, totalBytes, pieceHashes, hashedFiles } = content;
    this.pieceLengthBytes = pieceLengthBytes;
    this.pieceCount = Math.ceil(totalBytes / pieceLengthBytes);
    this.blocksPerPiece = Math.ceil(pieceLengthBytes / BLOCK_BYTES);
    this.#spaceBytes = totalBytes;
    const files = pieceHashes ? null : (hashedFiles ?? null);
    this.#shortPieces = files && shortPiecesOf(files, pieceLengthBytes);
    this.totalBytes = files?.reduce((sum, file) => sum + file.lengthBytes, 0) ?? totalBytes;
  }

  /** All pieces are equal but the last: of the torrent, or in v2 of each file. */
  pieceLength(piece: number): number {
    if (this.#shortPieces) return this.#shortPieces.get(piece) ?? this.pieceLengthBytes;
    return this.#lengthInSpace(piece);
  }

  blockCount(piece: number): number {
    return Math.ceil(this.pieceLength(piece) / BLOCK_BYTES);
  }

  blockLength(piece: number, block: number): number {
    return Math.min(BLOCK_BYTES, this.pieceLength(piece) - block * BLOCK_BYTES);
  }

  /** One number per block of the torrent, for maps. */
  blockKey(piece: number, block: number): number {
    return piece * this.blocksPerPiece + block;
  }

  /** Whether a request stays inside a piece and asks for at most one block's length. */
  isServable(piece: number, begin: number, length: number): boolean {
    return (
      piece < this.pieceCount &&
      length > 0 &&
      length <= BLOCK_BYTES &&
      begin + length <= this.pieceLength(piece)
    );
  }

  /** As `isServable`, but into the padding too: libtorrent asks for that of v2 torrents. */
  isReadable(piece: number, begin: number, length: number): boolean {
    if (this.isServable(piece, begin, length)) return true;
    return (
      this.#shortPieces !== null &&
      piece < this.pieceCount &&
      length > 0 &&
      length <= BLOCK_BYTES &&
      begin + length <= this.#lengthInSpace(piece)
    );
  }

  #lengthInSpace(piece: number): number {
    return Math.min(this.pieceLengthBytes, this.#spaceBytes - piece * this.pieceLengthBytes);
  }
}

/** Last pieces of files that do not fill them, and how long they are. */
function shortPiecesOf(
  files: readonly HashedFile[],
  pieceLengthBytes: number,
): ReadonlyMap<number, number> {
  const short = new Map<number, number>();
  for (const { firstPiece, lengthBytes } of files) {
    const over = lengthBytes % pieceLengthBytes;
    if (over > 0) short.set(firstPiece + Math.floor(lengthBytes / pieceLengthBytes), over);
  }
  return short;
}
