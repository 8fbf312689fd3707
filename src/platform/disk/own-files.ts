/** Makes sure that a write changes nobody else's file. */
import fs from 'node:fs/promises';
import { copyFile } from './copy-file.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout, LayoutFile } from './file-layout.ts';
import { lookAt } from './look-at.ts';

/** Which files are to be written, and who hears of it. */
export interface OwnOptions {
  /** Whether anything of a file is to be written, or cut off. */
  readonly needsWrite: (file: LayoutFile) => boolean;
  /** A file was replaced by a copy of its own. */
  readonly onReplaced?: (path: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Gives the torrent a copy of its own of every file that is to be written, but has other names
 * (hard links) or is a link to elsewhere: another torrent may serve what is there. Throws
 * `PlatformError`.
 */
export async function ownFiles(
  layout: FileLayout,
  { needsWrite, onReplaced, signal }: OwnOptions,
): Promise<void> {
  for (const file of layout.files) {
    if (file.isPad || file.lengthBytes === 0) continue;
    if (!needsWrite(file)) continue;
    const path = layout.pathOf(file);
    try {
      const stat = await lookAt(path);
      const isShared = stat?.isSymbolicLink() || (stat?.isFile() && stat.nlink > 1);
      const source = isShared ? await fs.stat(path).catch(() => null) : null;
      if (!source?.isFile()) continue;
      const copy = `${path}.bidwidth-own`;
      await fs.rm(copy, { force: true });
      await copyFile(path, copy, signal);
      await fs.rename(copy, path);
      onReplaced?.(path);
    } catch (failure) {
      if ((failure as Error).name === 'AbortError') throw failure;
      throw diskFailure(failure as NodeJS.ErrnoException, path);
    }
  }
}
