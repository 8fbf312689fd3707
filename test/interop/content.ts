/** Content with the shapes clients get wrong: odd sizes, an empty file, a short last piece. */
import { join } from 'node:path';
import { writeRandomFile } from '../support/files.ts';
import { type MadeTorrent, makeTorrent } from '../support/make-torrent.ts';

/** One file, or a folder of several. */
export type ContentShape = 'single-file' | 'multi-file';

/** Sizes in bytes of the multi-file torrent's files; neighbours share pieces. */
const MULTI_FILE: Readonly<Record<string, number>> = {
  'a/one-byte.bin': 1,
  'a/odd.bin': 3_145_741,
  'b/empty.bin': 0,
  'b/one-piece.bin': 262_144,
  'b/deeper/large.bin': 5_000_011,
  'last.bin': 777,
};
const SINGLE_FILE_BYTES = 8 * 1_048_576 + 12_345;
const PIECE_LENGTH_BYTES = 262_144;

/** Writes content of the given shape below `folder` and a torrent of it beside. */
export async function makeContent(
  folder: string,
  options: {
    readonly shape: ContentShape;
    readonly lengthBytes?: number;
    readonly tracker?: string;
  },
): Promise<MadeTorrent> {
  const contentPath = join(folder, options.shape === 'single-file' ? 'single.bin' : 'several');
  if (options.shape === 'single-file') {
    await writeRandomFile(contentPath, options.lengthBytes ?? SINGLE_FILE_BYTES);
  } else {
    for (const [path, lengthBytes] of Object.entries(MULTI_FILE)) {
      await writeRandomFile(join(contentPath, path), lengthBytes);
    }
  }
  return makeTorrent({
    contentPath,
    torrentPath: join(folder, `${options.shape}.torrent`),
    pieceLengthBytes: PIECE_LENGTH_BYTES,
    tracker: options.tracker,
  });
}
