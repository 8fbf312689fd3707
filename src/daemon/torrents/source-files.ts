/** The files below a path, as a new torrent will list them. */
import fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Bytes, bytes } from '../../units/index.ts';
import type { SourceFile } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { explain, unreadable } from '../torrent-source.ts';

/** What a torrent is made of. */
export interface SourceFiles {
  /** The folder that holds the file or folder. */
  readonly parent: string;
  /** Its name there. */
  readonly name: string;
  /** Sorted by path. Pipes, sockets and links to folders are left out. */
  readonly files: readonly SourceFile[];
  readonly totalBytes: Bytes;
}

/** Files a torrent is made of at most: beyond it the torrent file is of no use to anybody. */
const FILES_MAX = 200_000;

/** Folders within folders at most. */
const DEPTH_MAX = 100;

/**
 * Lists what is at `path`. `except` is a file that is not to be part of it: the torrent itself.
 *
 * @throws DaemonError DAEMON_FILE_UNREADABLE, DAEMON_NOTHING_TO_SHARE
 */
export async function listSourceFiles(path: string, except: string): Promise<SourceFiles> {
  const absolute = resolve(path);
  const files: SourceFile[] = [];
  const stat = await attempt(absolute, () => fs.stat(absolute));
  if (stat.isFile()) files.push(sourceFile([], stat));
  else if (stat.isDirectory()) await walk(absolute, { elements: [], files, except });
  else throw unreadable(path, 'is neither a file nor a folder');
  const totalBytes = bytes(files.reduce((sum, file) => sum + file.lengthBytes, 0));
  if (totalBytes === 0) {
    const text = `${path} is empty: there is nothing to make a torrent of`;
    throw new DaemonError('DAEMON_NOTHING_TO_SHARE', text, { path });
  }
  return { parent: dirname(absolute), name: basename(absolute), files, totalBytes };
}

interface Walk {
  readonly elements: readonly string[];
  readonly files: SourceFile[];
  readonly except: string;
}

async function walk(folder: string, { elements, files, except }: Walk): Promise<void> {
  if (elements.length > DEPTH_MAX) throw unreadable(folder, 'is too many folders deep');
  const entries = await attempt(folder, () => fs.readdir(folder, { withFileTypes: true }));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const below = [...elements, entry.name];
    if (path === except) continue;
    if (entry.isDirectory()) {
      await walk(path, { elements: below, files, except });
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      const stat = await attempt(path, () => fs.stat(path));
      if (stat.isFile()) files.push(sourceFile(below, stat));
    }
    if (files.length > FILES_MAX) throw unreadable(folder, `has more than ${FILES_MAX} files`);
  }
}

function sourceFile(path: readonly string[], stat: { size: number; mode: number }): SourceFile {
  return { path, lengthBytes: bytes(stat.size), isExecutable: (stat.mode & 0o100) !== 0 };
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (failure) {
    throw unreadable(path, explain(failure), failure);
  }
}
