/** Checks files against a torrent, by its v1 hashes or, where it has none, by its Merkle trees. */
import { checkFiles, FileLayout, sha256 } from '../../platform/disk/index.ts';
import { Bitfield, BLOCK_BYTES, concatBytes, equalBytes, toHex } from '../../units/index.ts';
import {
  fileTree,
  hashBlocks,
  MERKLE_HASH_BYTES,
  type Metainfo,
  type MetainfoFile,
  merkleRoot,
  parseMetainfo,
} from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { digests } from './describe.ts';
import { SpaceReader } from './space-reader.ts';

/** How many pieces are right. */
export interface Verification {
  readonly goodPieces: number;
  readonly pieceCount: number;
}

/** How a check is followed and stopped. */
export interface VerifyOptions {
  readonly onProgress?: (checkedPieces: number, pieceCount: number) => void;
  readonly signal?: AbortSignal;
}

/** Reads every piece below `folder`. Missing and short files are wrong pieces, not errors. */
export async function verifyTorrent(
  source: TorrentSource,
  folder: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  if (source.kind === 'magnet') {
    throw new DaemonError(
      'DAEMON_TORRENT_UNSUPPORTED',
      'a magnet link has no piece hashes to check against: give the torrent file',
    );
  }
  const metainfo = parseMetainfo(source.bytes, digests);
  const layout = new FileLayout(folder, metainfo.files);
  const { pieceCount, pieceLengthBytes, pieceHashesV1: pieceHashes } = metainfo;
  const { onProgress, signal } = options;
  const good = pieceHashes
    ? await checkFiles(
        { layout, pieceLengthBytes, pieceHashes },
        {
          ...(signal ? { signal } : {}),
          onProgress: (checked) => onProgress?.(checked, pieceCount),
        },
      )
    : await checkTrees(metainfo, layout, options);
  return { goodPieces: good.count, pieceCount };
}

/** In v2 every file begins on a piece, so files are checked one by one. */
async function checkTrees(
  metainfo: Metainfo,
  layout: FileLayout,
  options: VerifyOptions,
): Promise<Bitfield> {
  const { pieceCount, pieceLengthBytes } = metainfo;
  const good = new Bitfield(pieceCount);
  const reader = new SpaceReader(layout);
  let checked = 0;
  try {
    for (const file of metainfo.files) {
      if (file.piecesRoot === null || file.lengthBytes === 0) continue;
      const first = file.offsetBytes / pieceLengthBytes;
      const parts = await blockHashesOf(file, reader, {
        pieceLengthBytes,
        onPiece: () => options.onProgress?.(++checked, pieceCount),
        signal: options.signal,
      });
      for (const index of rightPieces(file, parts, metainfo)) good.set(first + index);
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
  { pieceLayers, pieceLengthBytes }: Metainfo,
): readonly number[] {
  const root = file.piecesRoot;
  if (root === null) return [];
  const layer = pieceLayers.get(toHex(root));
  if (layer === undefined) {
    if (parts.some((part) => part === null)) return [];
    const joined = concatBytes(...parts.filter((part) => part !== null));
    const isRight = equalBytes(fileTree(joined, pieceLengthBytes, sha256).root, root);
    return isRight ? [...parts.keys()] : [];
  }
  const width = pieceLengthBytes / BLOCK_BYTES;
  return [...parts.keys()].filter((index) => {
    const part = parts[index];
    if (!part) return false;
    const wanted = layer.subarray(index * MERKLE_HASH_BYTES, (index + 1) * MERKLE_HASH_BYTES);
    return equalBytes(merkleRoot(part, { level: 0, width }, sha256), wanted);
  });
}
