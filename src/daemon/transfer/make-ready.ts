/** What is done with a torrent's files before its pieces come. */
import {
  type Allocation,
  allocateFiles,
  type FileLayout,
  fitFile,
  type LayoutFile,
  longerFiles,
  lookAt,
  ownFiles,
} from '../../platform/disk/index.ts';
import type { Bitfield } from '../../units/index.ts';
import type { InfoDict } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { FileUse } from './file-claims.ts';

/** A torrent whose pieces have been looked for. */
export interface FoundTorrent {
  readonly info: InfoDict;
  readonly layout: FileLayout;
  readonly have: Bitfield;
}

/** Files named in a line about what is missing. */
const NAMED_MAX = 3;

/** What a torrent will do with each of its files. */
export function usesOf(torrent: FoundTorrent): ReadonlyMap<string, FileUse> {
  const uses = new Map<string, FileUse>();
  for (const file of torrent.layout.files) {
    if (file.isPad || file.lengthBytes === 0) continue;
    uses.set(torrent.layout.pathOf(file), isLacking(torrent, file) ? 'write' : 'read');
  }
  return uses;
}

/** Gives it files of its own, and the room for them. */
export async function makeReady(
  torrent: FoundTorrent,
  options: {
    readonly allocation: Allocation;
    readonly isWanted: (file: number) => boolean;
    /** Files that are longer than they should be are cut. */
    readonly mustFit: boolean;
    /** A file that others have, too, was replaced by a copy; or it was cut. */
    readonly onReplaced: (path: string) => void;
    readonly onProgress: (doneBytes: number, allBytes: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { info, layout, have } = torrent;
  const { allocation, onReplaced, mustFit, ...rest } = options;
  const longer = mustFit ? await longerFiles(layout, options.isWanted) : new Set<LayoutFile>();
  const needsWrite = (file: LayoutFile): boolean => isLacking(torrent, file) || longer.has(file);
  await ownFiles(layout, { needsWrite, onReplaced, signal: options.signal });
  for (const file of longer) {
    await fitFile(layout, file);
    onReplaced(layout.pathOf(file));
  }
  const isHere = (piece: number): boolean => have.has(piece);
  const { pieceLengthBytes } = info;
  await allocateFiles(allocation, { layout, pieceLengthBytes, isHere, ...rest });
}

/** Why a torrent that must be complete cannot be seeded: what is missing, file by file. */
export async function incomplete(torrent: FoundTorrent): Promise<DaemonError> {
  const { layout, have } = torrent;
  const lacking = layout.files.filter((file) => !file.isPad && isLacking(torrent, file));
  const named: string[] = [];
  for (const file of lacking.slice(0, NAMED_MAX)) {
    const stat = await lookAt(layout.pathOf(file)).catch(() => null);
    const what = !stat ? 'missing' : stat.size < file.lengthBytes ? 'too short' : 'wrong in part';
    named.push(`${file.path.join('/')} is ${what}`);
  }
  const others = lacking.length - named.length;
  const more = others > 0 ? ` and so on with ${others} more` : '';
  return new DaemonError(
    'DAEMON_DATA_INCOMPLETE',
    `${layout.root} holds ${have.count} of ${have.size} pieces: ${named.join(', ')}${more}; give ` +
      'the folder with the whole data, or download the torrent first',
    { root: layout.root, goodPieces: have.count, pieceCount: have.size },
  );
}

function isLacking(
  { info, have }: FoundTorrent,
  file: { readonly offsetBytes: number; readonly lengthBytes: number },
): boolean {
  if (file.lengthBytes === 0) return false;
  const last = Math.floor((file.offsetBytes + file.lengthBytes - 1) / info.pieceLengthBytes);
  for (let piece = Math.floor(file.offsetBytes / info.pieceLengthBytes); piece <= last; piece++) {
    if (!have.has(piece)) return true;
  }
  return false;
}
