/** The shape of a torrent's data: pieces and blocks as numbers. */
import { assert, BLOCK_BYTES } from '../units/index.ts';

/** What the engine must know of a torrent's info dictionary. */
export interface TorrentContent {
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly totalBytes: number;
  /** 20 bytes of SHA-1 per piece (BEP 3). */
  readonly pieceHashes: Uint8Array;
  /** The exact bytes of the info dictionary, served to peers that have only a magnet (BEP 9). */
  readonly infoBytes: Uint8Array;
  /** Peers may be found through its trackers alone (BEP 27). */
  readonly isPrivate?: boolean;
}

/** Where pieces and blocks begin and how long they are. */
export class PieceGeometry {
  readonly pieceLengthBytes: number;
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly blocksPerPiece: number;

  constructor(content: Pick<TorrentContent, 'pieceLengthBytes' | 'totalBytes'>) {
    assert(content.pieceLengthBytes > 0, 'a piece has a length');
    this.pieceLengthBytes = content.pieceLengthBytes;
    this.totalBytes = content.totalBytes;
    this.pieceCount = Math.ceil(content.totalBytes / content.pieceLengthBytes);
    this.blocksPerPiece = Math.ceil(content.pieceLengthBytes / BLOCK_BYTES);
  }

  /** All pieces are equal but the last. */
  pieceLength(piece: number): number {
    const start = piece * this.pieceLengthBytes;
    return Math.min(this.pieceLengthBytes, this.totalBytes - start);
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
}
