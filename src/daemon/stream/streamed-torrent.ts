/** What the server has to know of a torrent: its files, and where their bytes lie in its pieces. */
import { join } from 'node:path';
import type { InfoDict } from '../../wire/index.ts';

/** A file that can be played. */
export interface StreamedFile {
  /** Its place among the files people see, pad files left out: the number in its address. */
  readonly index: number;
  /** Its place in the torrent, pad files counted. */
  readonly position: number;
  /** Elements joined by `/`. */
  readonly path: string;
  /** The last element. */
  readonly name: string;
  readonly absolutePath: string;
  readonly lengthBytes: number;
  /** Where it begins in the torrent's pieces. */
  readonly offsetBytes: number;
}

/** A torrent whose files can be played. */
export interface StreamedTorrent {
  /** Lower-case hex info-hash: how the transfer names it. */
  readonly key: string;
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  readonly files: readonly StreamedFile[];
}

/** Reads what is needed off an info dictionary; `root` is the folder it is downloaded into. */
export function streamedTorrent(
  info: InfoDict,
  { key, root }: { readonly key: string; readonly root: string },
): StreamedTorrent {
  const { name, pieceLengthBytes, pieceCount } = info;
  const placed = info.files.map((file, position) => ({ file, position }));
  const files = placed
    .filter(({ file }) => !file.isPad)
    .map(({ file, position }, index) => ({
      index,
      position,
      path: file.path.join('/'),
      name: file.path.at(-1) ?? name,
      absolutePath: join(root, ...file.path),
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
    }));
  return { key, name, pieceLengthBytes, pieceCount, files };
}
