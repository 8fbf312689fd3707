/** Checks files against a torrent, by its v1 hashes or, where it has none, by its Merkle trees. */
import { checkFiles, FileLayout } from '../../platform/disk/index.ts';
import { parseMetainfo } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { checkTrees } from './check-trees.ts';
import { digests } from './describe.ts';

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
  const following = {
    ...(signal ? { signal } : {}),
    onProgress: (checked: number) => onProgress?.(checked, pieceCount),
  };
  const good = pieceHashes
    ? await checkFiles({ layout, pieceLengthBytes, pieceHashes }, following)
    : await checkTrees({ info: metainfo, pieceLayers: metainfo.pieceLayers, layout }, following);
  return { goodPieces: good.count, pieceCount };
}
