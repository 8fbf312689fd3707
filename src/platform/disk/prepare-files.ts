/** What must exist before the first piece: the folder, and files without content. */
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout } from './file-layout.ts';
import { isLink, placeLinks } from './links.ts';

/**
 * Creates the download folder, and the empty files and links, which no piece would ever write, as
 * far as they are wanted; padding is not counted. Throws `PlatformError`.
 */
export async function prepareFiles(
  layout: FileLayout,
  isWanted: (file: number) => boolean = () => true,
): Promise<void> {
  await attempt(layout.root, () => fs.mkdir(layout.root, { recursive: true }));
  for (const [nth, file] of layout.files.filter(({ isPad }) => !isPad).entries()) {
    if (file.lengthBytes > 0 || isLink(file) || !isWanted(nth)) continue;
    const path = layout.pathOf(file);
    await attempt(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await fs.writeFile(path, '', { flag: 'a' });
    });
  }
  await placeLinks(layout, isWanted);
}

async function attempt(path: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (failure) {
    throw diskFailure(failure as NodeJS.ErrnoException, path);
  }
}
