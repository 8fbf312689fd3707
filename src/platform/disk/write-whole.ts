/** Replaces a small file whole or not at all. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskFailure } from './disk-failure.ts';

/** How a file is written. */
export interface WriteTerms {
  /** Waits for the disk: only then may something be deleted on the strength of it. */
  readonly isDurable?: boolean;
  /** Rights of the file; left out, the usual ones. */
  readonly mode?: number;
}

/** Writes `text`, and makes the folder. Throws `PlatformError`; the file is then as it was. */
export async function writeWhole(
  path: string,
  text: string,
  { isDurable = false, mode = 0o666 }: WriteTerms = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(temporary, text, { flush: isDurable, mode });
    await fs.rename(temporary, path);
  } catch (failure) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw diskFailure(failure as NodeJS.ErrnoException, path);
  }
}
