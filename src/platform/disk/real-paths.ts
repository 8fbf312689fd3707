/** One name for each file, by whatever way a path leads there. */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Whether files whose names differ in case alone are usually one. */
const FOLDS_CASE = process.platform === 'win32' || process.platform === 'darwin';

/**
 * A function that follows links to folders, also above what is not there yet; a link in the file's
 * own place stays. What it finds out is remembered as long as the function is.
 */
export function realPaths(): (path: string) => string {
  const folders = new Map<string, string>();
  const real = (folder: string): string => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    let found: string;
    try {
      found = fs.realpathSync.native(folder);
    } catch {
      const above = dirname(folder);
      found = above === folder ? folder : join(real(above), basename(folder));
    }
    folders.set(folder, found);
    return found;
  };
  return (path) => {
    const found = join(real(dirname(path)), basename(path));
    return FOLDS_CASE ? found.normalize('NFC').toLowerCase() : found;
  };
}
