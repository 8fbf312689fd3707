/** Content with the shapes clients get wrong: odd sizes, an empty file, a short last piece. */
import { join } from 'node:path';
import { makeTorrent } from '../../src/daemon/torrents/index.ts';
import type { TorrentExtras, TorrentVersion } from '../../src/wire/index.ts';
import { writeRandomFile } from '../support/files.ts';
import { makeTorrent as makeV1Torrent } from '../support/make-torrent.ts';

/** One file, or a folder of several. */
export type ContentShape = 'single-file' | 'multi-file';

/** Sizes in bytes of the multi-file torrent's files; neighbours share pieces in v1. */
const MULTI_FILE: Readonly<Record<string, number>> = {
  'a/one-byte.bin': 1,
  'a/odd.bin': 314_571,
  'b/empty.bin': 0,
  'b/one-block.bin': 16_384,
  'b/one-piece.bin': 262_144,
  'b/name to escape, 100%.bin': 5_003,
  'b/deeper/large.bin': 8_500_011,
  'last.bin': 777,
};
const SINGLE_FILE_BYTES = 8 * 1_048_576 + 12_345;
const PIECE_BYTES = 262_144;
/** Small pieces: the large files have more of them than one hash request may ask for. */
const V2_PIECE_BYTES = 16_384;

/** What to make; the content is random. */
export interface ContentRequest {
  readonly shape: ContentShape;
  /** v1 unless said otherwise. */
  readonly version?: TorrentVersion;
  /** Of the single file. */
  readonly lengthBytes?: number;
  /** The announce URL; none when absent. */
  readonly tracker?: string;
  readonly extras?: Pick<TorrentExtras, 'isPrivate' | 'webSeeds'>;
}

/** Content on disk and the torrent of it. */
export interface Content {
  readonly torrentPath: string;
  readonly contentPath: string;
  readonly name: string;
  readonly magnet: string;
  readonly totalBytes: number;
}

/**
 * Writes content of the given shape below `folder` and a torrent of it beside. A plain v1 torrent
 * is made without the code under test, all others by it.
 */
export async function makeContent(folder: string, request: ContentRequest): Promise<Content> {
  const { shape, version = 'v1', tracker, extras } = request;
  const contentPath = join(folder, shape === 'single-file' ? 'single.bin' : 'several');
  if (shape === 'single-file') {
    await writeRandomFile(contentPath, request.lengthBytes ?? SINGLE_FILE_BYTES);
  } else {
    for (const [path, lengthBytes] of Object.entries(MULTI_FILE)) {
      await writeRandomFile(join(contentPath, path), lengthBytes);
    }
  }
  const torrentPath = join(folder, `${shape}.torrent`);
  if (version === 'v1' && extras === undefined) {
    return makeV1Torrent({ contentPath, torrentPath, tracker, pieceLengthBytes: PIECE_BYTES });
  }
  const trackers = tracker === undefined ? {} : { trackers: [[tracker]] };
  const made = await makeTorrent({
    ...{ path: contentPath, out: torrentPath, isForced: false, version, name: null },
    ...{ pieceLengthBytes: V2_PIECE_BYTES, extras: { ...extras, ...trackers } },
  });
  return { torrentPath, contentPath, ...made };
}
