/** Pieces and files in one line of bytes: which piece is how long, where, and checked by what. */
import { assert, BLOCK_BYTES, toHex } from '../../units/index.ts';
import { hashBlocks, MERKLE_HASH_BYTES, merkleRoot, type Sha256 } from './merkle.ts';
import type { InfoDict, Metainfo, MetainfoFile } from './metainfo.ts';

/** Bytes of piece `index` in the piece space, pads counted; the last piece may be shorter. */
export function pieceLengthAt(info: InfoDict, index: number): number {
  assert(index >= 0 && index < info.pieceCount, `piece ${index} of ${info.pieceCount}`);
  return Math.min(info.pieceLengthBytes, info.totalBytes - index * info.pieceLengthBytes);
}

/** The SHA-1 that piece `index` must have (borrowed), or null without v1 hashes. */
export function pieceHashV1(info: InfoDict, index: number): Uint8Array | null {
  return info.pieceHashesV1?.subarray(index * 20, (index + 1) * 20) ?? null;
}

/** Index of the file with bytes that holds byte `offsetBytes` of the piece space. */
export function fileIndexAt(files: readonly MetainfoFile[], offsetBytes: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const file = files[middle];
    if (file !== undefined && file.offsetBytes + file.lengthBytes <= offsetBytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How a v2 piece is checked (BEP 52). A v2 piece never spans two files. */
export interface PieceCheckV2 {
  readonly fileIndex: number;
  /** Bytes of the file in this piece; the pad after them is not hashed. */
  readonly dataBytes: number;
  /** Leaves its subtree is completed to; null for a file no longer than a piece. */
  readonly width: number | null;
  /** The root `pieceRoot` must give, or null while the file's piece layer is missing. */
  readonly root: Uint8Array | null;
}

/** What piece `index` is checked against; null without a v2 part. */
export function pieceCheckV2(torrent: Metainfo, index: number): PieceCheckV2 | null {
  if (torrent.infoHashV2 === null) return null;
  const { pieceLengthBytes } = torrent;
  const offset = index * pieceLengthBytes;
  const fileIndex = fileIndexAt(torrent.files, offset);
  const file = torrent.files[fileIndex];
  assert(file?.piecesRoot != null, `piece ${index} is in no v2 file`);
  const into = offset - file.offsetBytes;
  const dataBytes = Math.min(pieceLengthBytes, file.lengthBytes - into);
  if (file.lengthBytes <= pieceLengthBytes) {
    return { fileIndex, dataBytes, width: null, root: file.piecesRoot };
  }
  const layer = torrent.pieceLayers.get(toHex(file.piecesRoot)) ?? null;
  const at = (into / pieceLengthBytes) * MERKLE_HASH_BYTES;
  const root = layer?.subarray(at, at + MERKLE_HASH_BYTES) ?? null;
  return { fileIndex, dataBytes, width: pieceLengthBytes / BLOCK_BYTES, root };
}

/** The root of a piece's data (without its pad), for a check's width. */
export function pieceRoot(data: Uint8Array, width: number | null, sha256: Sha256): Uint8Array {
  const shape = width === null ? { level: 0 } : { level: 0, width };
  return merkleRoot(hashBlocks(data, sha256), shape, sha256);
}
