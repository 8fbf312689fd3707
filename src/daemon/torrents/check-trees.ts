/** Checks files by their Merkle trees: torrents that have v2 hashes alone (BEP 52). */
import { type FileLayout, sha256 } from '../../platform/disk/index.ts';
import { Bitfield, BLOCK_BYTES, concatBytes, equalBytes, toHex } from '../../units/index.ts';
import {
  fileTree,
  hashBlocks,
  type InfoDict,
  MERKLE_HASH_BYTES,
  type MetainfoFile,
  merkleRoot,
} from '../../wire/index.ts';
import { SpaceReader } from './space-reader.ts';

/** What is checked. */
export interface TreeTarget {
  readonly info: Pick<InfoDict, 'files' | 'pieceCount' | 'pieceLengthBytes'>;
  /** By root in hex. Of a file without its layer, all pieces are right or none. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  readonly layout: Pick<FileLayout, 'segments'>;
}

/** How a check is followed and stopped. */
export interface TreeOptions {
  readonly onProgress?: (checkedPieces: number) => void;
  readonly signal?: AbortSignal;
  /** A layer that was missing, made from a file that is right. */
  readonly onLayer?: (root: string, layer: Uint8Array) => void;
}

/** Pieces that are right. Missing and short files are wrong pieces, not errors. */
export async function checkTrees(target: TreeTarget, options: TreeOptions): Promise<Bitfield> {
  const { pieceCount, pieceLengthBytes, files } = target.info;
  const good = new Bitfield(pieceCount);
  const reader = new SpaceReader(target.layout);
  let checked = 0;
  try {
    // In v2 every file begins on a piece, so files are checked one by one.
    for (const file of files) {
      if (file.piecesRoot === null || file.lengthBytes === 0) continue;
      const first = file.offsetBytes / pieceLengthBytes;
      const parts = await blockHashesOf(file, reader, {
        pieceLengthBytes,
        onPiece: () => options.onProgress?.(++checked),
        signal: options.signal,
      });
      for (const index of rightPieces(file, parts, { ...target, options })) good.set(first + index);
    }
  } finally {
    await reader.close();
  }
  return good;
}

interface Reading {
  readonly pieceLengthBytes: number;
  readonly onPiece: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Hashes of the blocks of each piece of a file; null for a piece that cannot be read. */
async function blockHashesOf(
  file: MetainfoFile,
  reader: SpaceReader,
  { pieceLengthBytes, onPiece, signal }: Reading,
): Promise<readonly (Uint8Array | null)[]> {
  const parts: (Uint8Array | null)[] = [];
  const buffer = new Uint8Array(Math.min(pieceLengthBytes, file.lengthBytes));
  for (let at = 0; at < file.lengthBytes; at += pieceLengthBytes) {
    signal?.throwIfAborted();
    const view = buffer.subarray(0, Math.min(pieceLengthBytes, file.lengthBytes - at));
    const isThere = await reader.read(file.offsetBytes + at, view).then(
      () => true,
      () => false,
    );
    parts.push(isThere ? hashBlocks(view, sha256) : null);
    onPiece();
  }
  return parts;
}

/** Indexes, in the file, of pieces that are right. Without a piece layer it is all or nothing. */
function rightPieces(
  file: MetainfoFile,
  parts: readonly (Uint8Array | null)[],
  { pieceLayers, info, options }: TreeTarget & { readonly options: TreeOptions },
): readonly number[] {
  const root = file.piecesRoot;
  if (root === null) return [];
  const layer = pieceLayers.get(toHex(root));
  if (layer === undefined) {
    if (parts.some((part) => part === null)) return [];
    const joined = concatBytes(...parts.filter((part) => part !== null));
    const tree = fileTree(joined, info.pieceLengthBytes, sha256);
    if (!equalBytes(tree.root, root)) return [];
    if (tree.pieceLayer.length > 0) options.onLayer?.(toHex(root), tree.pieceLayer);
    return [...parts.keys()];
  }
  const width = info.pieceLengthBytes / BLOCK_BYTES;
  return [...parts.keys()].filter((index) => {
    const part = parts[index];
    if (!part) return false;
    const wanted = layer.subarray(index * MERKLE_HASH_BYTES, (index + 1) * MERKLE_HASH_BYTES);
    return equalBytes(merkleRoot(part, { level: 0, width }, sha256), wanted);
  });
}
