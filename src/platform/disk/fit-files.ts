/** Cuts what an older version of a torrent left behind the end of a file. */
import fs from 'node:fs/promises';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout, LayoutFile } from './file-layout.ts';

/** Wanted files that are longer than the torrent says; `isWanted` counts without padding. */
export async function longerFiles(
  layout: FileLayout,
  isWanted: (file: number) => boolean,
): Promise<ReadonlySet<LayoutFile>> {
  const longer = new Set<LayoutFile>();
  for (const [nth, file] of layout.files.filter(({ isPad }) => !isPad).entries()) {
    const stat = isWanted(nth) ? await fs.stat(layout.pathOf(file)).catch(() => null) : null;
    if (stat?.isFile() && stat.size > file.lengthBytes) longer.add(file);
  }
  return longer;
}

/** Gives a file its length; nobody else may have it, unless it is to be empty. */
export async function fitFile(layout: FileLayout, file: LayoutFile): Promise<void> {
  const path = layout.pathOf(file);
  try {
    if (file.lengthBytes > 0) return await fs.truncate(path, file.lengthBytes);
    await fs.rm(path);
    await fs.writeFile(path, '');
  } catch (failure) {
    throw diskFailure(failure as NodeJS.ErrnoException, path);
  }
}
