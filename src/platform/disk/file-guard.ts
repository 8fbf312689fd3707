/** Notices files that are not as we left them: gone, replaced, cut off, or written by others. */
import fs from 'node:fs/promises';
import { PlatformError } from '../platform-error.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout } from './file-layout.ts';
import { isLink } from './links.ts';

interface Stamp {
  readonly inode: number;
  readonly size: number;
  readonly changedAt: number;
}

/** Remembers the files of one torrent. The part file is ours alone and is not looked at. */
export class FileGuard {
  readonly #layout: FileLayout;
  readonly #known = new Map<string, Stamp>();

  constructor(layout: FileLayout) {
    this.#layout = layout;
  }

  /**
   * Looks at every file; the first that is not as it was, or null. `mayGrow` while we write to them
   * ourselves: then sizes may grow and times may change, and what is found is remembered.
   */
  async look(mayGrow: boolean): Promise<PlatformError | null> {
    for (const file of this.#layout.files) {
      if (file.isPad || isLink(file)) continue;
      const path = this.#layout.pathOf(file);
      const known = this.#known.get(path);
      let found: Stamp;
      try {
        const { ino, size, mtimeMs } = await fs.stat(path);
        found = { inode: ino, size, changedAt: mtimeMs };
      } catch (failure) {
        if (known) return diskFailure(failure as NodeJS.ErrnoException, path);
        continue;
      }
      if (known && !isSame(known, found, mayGrow)) return changed(path);
      this.#known.set(path, found);
    }
    return null;
  }

  /** Another file is at `path` now; it is taken as it is. */
  forget(path: string): void {
    this.#known.delete(path);
  }

  /** The first of the given files, counted without padding, that is missing or too short. */
  async findUnfinished(isWanted: (file: number) => boolean): Promise<PlatformError | null> {
    const files = this.#layout.files.filter(({ isPad }) => !isPad);
    for (const [nth, file] of files.entries()) {
      if (!isWanted(nth) || isLink(file)) continue;
      const path = this.#layout.pathOf(file);
      try {
        if ((await fs.stat(path)).size < file.lengthBytes) return changed(path);
      } catch (failure) {
        return diskFailure(failure as NodeJS.ErrnoException, path);
      }
    }
    return null;
  }
}

function isSame(before: Stamp, now: Stamp, mayGrow: boolean): boolean {
  if (before.inode !== now.inode || now.size < before.size) return false;
  return mayGrow || (before.size === now.size && before.changedAt === now.changedAt);
}

function changed(path: string): PlatformError {
  return new PlatformError(
    'PLATFORM_FILE_CHANGED',
    `${path} was changed by somebody else: all files are checked again`,
    { path },
  );
}
