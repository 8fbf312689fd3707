/** Where a torrent's files are: in which folder, by which names. */
import { FileLayout, partsPathOf, type ResumeTarget } from '../../platform/disk/index.ts';
import { type FileName, type InfoDict, renameFiles } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';

/** A place of one torrent. */
export interface Place {
  /** Absolute path of the folder that holds the torrent's first path element. */
  readonly root: string;
  /** Names in place of the torrent's own; empty for none. */
  readonly names: readonly FileName[];
}

/** Whether nothing need be moved from one to the other. */
export function isSamePlace(a: Place, b: Place): boolean {
  return a.root === b.root && JSON.stringify(a.names) === JSON.stringify(b.names);
}

/** The torrent at a place. Throws DAEMON_FILE_NAME for names that it cannot have. */
export function targetAt(key: string, info: InfoDict, { root, names }: Place): ResumeTarget {
  const outcome = renameFiles(info.files, names);
  if (!outcome.ok) throw new DaemonError('DAEMON_FILE_NAME', outcome.problem);
  const layout = new FileLayout(root, outcome.files, partsPathOf(root, key));
  return { infoHash: key, layout, pieceCount: info.pieceCount, names };
}
