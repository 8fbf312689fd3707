/** What stands at a path, without opening it. */
import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** What is there itself, links not followed; null when nothing is. Throws the system's error. */
export async function lookAt(path: string): Promise<Stats | null> {
  try {
    return await fs.lstat(path);
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw failure;
  }
}

/** The folder that `path` is in or would be in, as far up as one exists. */
export async function nearestFolder(path: string): Promise<string> {
  let folder = dirname(path);
  while (!(await lookAt(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/**
 * Whether two paths are one name of one file, by links to folders, bind mounts or letters whose
 * case does not count: whoever removes the one removes the other.
 */
export async function isOneEntry({
  from,
  to,
}: {
  readonly from: string;
  readonly to: string;
}): Promise<boolean> {
  const [source, target] = [await lookAt(from), await lookAt(to)];
  if (!source || !target || !isSameFile(source, target)) return false;
  if (source.nlink === 1) return true;
  const [a, b] = [await fs.stat(dirname(from)), await fs.stat(dirname(to))];
  return isSameFile(a, b) && basename(from) === basename(to);
}

/** By device and number on it. */
export function isSameFile(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
