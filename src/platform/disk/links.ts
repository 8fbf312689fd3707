/** Links inside a torrent (BEP 47): each leads to a file or folder of its own torrent. */
import fs from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout, LayoutFile } from './file-layout.ts';
import { lookAt } from './look-at.ts';

/** Systems that have no links, or not for everybody (Windows): there they are left out. */
const NO_LINKS: ReadonlySet<unknown> = new Set([
  ...['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'],
]);

/** A link of a torrent: where it stands, and what is written in it. */
interface Link {
  readonly path: string;
  readonly text: string;
}

/** Whether the file is a link: nothing of it is downloaded, and it has no content of its own. */
export function isLink(file: LayoutFile): boolean {
  return file.symlinkTarget != null;
}

/**
 * Makes the links that are wanted, relative so that the torrent can be moved as it is. Where
 * something stands already, it stays. Throws `PlatformError`.
 */
export async function placeLinks(
  layout: FileLayout,
  isWanted: (file: number) => boolean = () => true,
): Promise<void> {
  for (const { path, text } of linksOf(layout, isWanted)) {
    try {
      if (await lookAt(path)) continue;
      await fs.mkdir(dirname(path), { recursive: true });
      await fs.symlink(text, path);
    } catch (failure) {
      const { code } = failure as NodeJS.ErrnoException;
      if (!NO_LINKS.has(code)) throw diskFailure(failure as NodeJS.ErrnoException, path);
    }
  }
}

/** Takes away the links that are as `placeLinks` made them. */
export async function dropLinks(layout: FileLayout): Promise<void> {
  for (const { path, text } of linksOf(layout, () => true)) {
    if ((await fs.readlink(path).catch(() => null)) === text) await fs.unlink(path);
  }
}

function linksOf(layout: FileLayout, isWanted: (file: number) => boolean): readonly Link[] {
  const files = layout.files.filter(({ isPad }) => !isPad);
  return files.flatMap((file, nth) => {
    if (file.symlinkTarget == null || !isWanted(nth)) return [];
    const path = layout.pathOf(file);
    return [{ path, text: relative(dirname(path), join(layout.root, ...file.symlinkTarget)) }];
  });
}
