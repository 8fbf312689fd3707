/**
 * Moves files so that a kill at any moment leaves them whole at one place. They are staged at the
 * new place, where nothing is replaced; the caller then records the new place; then the old goes.
 */
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert, formatSize } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';
import { copyFile, isSameContent } from './copy-file.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout } from './file-layout.ts';
import { isLink } from './links.ts';
import { isOneEntry, lookAt, nearestFolder } from './look-at.ts';

/** One file's way, as absolute paths. */
export interface FileMove {
  readonly from: string;
  readonly to: string;
}

/** The way of every file of a torrent, its part file included, between two layouts; not links. */
export function movesBetween(from: FileLayout, to: FileLayout): readonly FileMove[] {
  assert(from.files.length === to.files.length, 'both layouts are of one torrent');
  const moves: FileMove[] = [];
  for (const [nth, file] of from.files.entries()) {
    const target = to.files[nth];
    if (!target || file.isPad || isLink(file)) continue;
    moves.push({ from: from.pathOf(file), to: to.pathOf(target) });
  }
  if (from.partsPath !== null && to.partsPath !== null) {
    moves.push({ from: from.partsPath, to: to.partsPath });
  }
  return moves.filter((move) => move.from !== move.to);
}

/** Errors of file systems that know no hard links. */
const NO_LINKS: ReadonlySet<unknown> = new Set([
  ...['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'],
]);

/**
 * Puts every file at its new place beside the old one: by a hard link on one file system, else by a
 * copy that is fsynced and compared. Where links are not known the file stays for `finishMove`. May
 * be repeated after a kill. Returns the copies; on failure it takes back what it made.
 *
 * @throws PlatformError for a different file in the way, a full disk, a read-only old place
 */
export async function stageMove(
  moves: readonly FileMove[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const staging: Staging = { made: [], copies: new Set(), folders: [], signal };
  try {
    await checkRoom(moves);
    for (const move of moves) {
      signal?.throwIfAborted();
      await attempt(move.to, () => stage(move, staging));
    }
    for (const folder of new Set(moves.map(({ to }) => dirname(to)))) await syncFolder(folder);
  } catch (failure) {
    for (const path of staging.made) await fs.rm(path, { force: true }).catch(() => {});
    for (const { folder, above } of staging.folders) await dropEmpty(folder, above);
    throw failure;
  }
  return staging.copies;
}

/**
 * Removes the old files and the folders they leave empty, up to `root`; a file that could not be
 * staged is renamed. May be repeated after a kill. What differs from its new copy is left alone;
 * `copies` are known not to.
 */
export async function finishMove(
  moves: readonly FileMove[],
  root: string,
  copies: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const move of moves) await attempt(move.from, () => finish(move, copies));
  for (const folder of new Set(moves.map(({ from }) => dirname(from)))) {
    await dropEmpty(folder, root);
  }
}

interface Staging {
  /** Names that were not there before. */
  readonly made: string[];
  /** Those of them that were copied. */
  readonly copies: Set<string>;
  /** Folders that were not there before, up to one that was. */
  readonly folders: { readonly folder: string; readonly above: string }[];
  readonly signal: AbortSignal | undefined;
}

async function stage(move: FileMove, staging: Staging): Promise<void> {
  const { from, to } = move;
  const [source, target] = [await lookAt(from), await lookAt(to)];
  if (target) {
    if (source && ((await isOneEntry(move)) || (await isStaged(move, staging.signal)))) return;
    throw inTheWay(to);
  }
  if (!source) return;
  await fs.access(dirname(from), fs.constants.W_OK).catch((failure: unknown) => {
    throw diskFailure(failure as NodeJS.ErrnoException, dirname(from));
  });
  const folder = dirname(to);
  const first = await fs.mkdir(folder, { recursive: true });
  if (first !== undefined) staging.folders.push({ folder, above: dirname(first) });
  try {
    // A link to elsewhere is moved, not what it leads to.
    if (source.isSymbolicLink()) await fs.symlink(await fs.realpath(from), to);
    else await fs.link(from, to);
    staging.made.push(to);
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw inTheWay(to);
    if (NO_LINKS.has(code)) return;
    if (code !== 'EXDEV') throw failure;
    await copyFile(from, to, staging.signal);
    staging.made.push(to);
    staging.copies.add(to);
  }
}

async function finish(move: FileMove, copies: ReadonlySet<string>): Promise<void> {
  const { from, to } = move;
  if (!(await lookAt(from)) || (await isOneEntry(move))) return;
  if (!(await lookAt(to))) await fs.rename(from, to);
  else if (copies.has(to) || (await isStaged(move))) await fs.unlink(from);
}

/**
 * Whether the old name may go: the bytes are at the new place. A link there is believed only if it
 * is ours: one that leads to the old name would lead nowhere.
 */
async function isStaged({ from, to }: FileMove, signal?: AbortSignal): Promise<boolean> {
  const [source, target] = [await lookAt(from), await lookAt(to)];
  if (!target?.isSymbolicLink()) return isSameContent(from, to, signal);
  if (!source?.isSymbolicLink()) return false;
  return (await fs.readlink(to)) === (await fs.realpath(from));
}

/** Whether what must be copied fits, before the first byte is. */
async function checkRoom(moves: readonly FileMove[]): Promise<void> {
  const needs = new Map<number, { bytes: number; readonly folder: string }>();
  for (const { from, to } of moves) {
    const source = await lookAt(from);
    if (!source || (await lookAt(to))) continue;
    const folder = await nearestFolder(to);
    const { dev } = await fs.stat(folder);
    if (dev === source.dev) continue;
    const need = needs.get(dev) ?? { bytes: 0, folder };
    // A file with holes takes less than its length.
    need.bytes += Math.min(source.size, source.blocks * 512 || source.size);
    needs.set(dev, need);
  }
  for (const { bytes, folder } of needs.values()) {
    const { bavail, bsize } = await fs.statfs(folder);
    if (bytes <= bavail * bsize) continue;
    throw new PlatformError(
      'PLATFORM_DISK_FULL',
      `${folder} has room for ${formatSize(bavail * bsize)}, ${formatSize(bytes)} are needed: ` +
        'free some space',
      { path: folder, code: 'ENOSPC' },
    );
  }
}

/** Removes `folder` if it is empty, and those above it as long as they are; never `end`. */
async function dropEmpty(folder: string, end: string): Promise<void> {
  for (let at = folder; at !== end && at !== dirname(at); at = dirname(at)) {
    const isGone = await fs.rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

/** Names are on the disk, too, after this; systems that cannot do it do not need it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function inTheWay(path: string): PlatformError {
  return new PlatformError(
    'PLATFORM_FILE_IN_THE_WAY',
    `${path} is there already and is a different file: move it away or choose another place`,
    { path },
  );
}

async function attempt(path: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (failure) {
    if (failure instanceof PlatformError || (failure as Error).name === 'AbortError') throw failure;
    throw diskFailure(failure as NodeJS.ErrnoException, path);
  }
}
