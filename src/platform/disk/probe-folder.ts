/** Whether a folder that failed us can be used again. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../units/index.ts';
import type { PlatformError } from '../platform-error.ts';
import { diskFailure } from './disk-failure.ts';

/** What the folder must be good for. */
export interface FolderNeed {
  /** Bytes that will be written next; 0 when it is only read. */
  readonly writeBytes: number;
}

/** Faults that pass without anybody touching the torrent: space, rights, cables, mounts. */
const PASSING: ReadonlySet<unknown> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOENT', 'EIO', 'ENXIO', 'ENODEV'],
  ...['ESTALE', 'ETIMEDOUT', 'EBUSY', 'EMFILE', 'ENFILE', 'ENOTCONN', 'EHOSTDOWN'],
]);

/** Whether waiting can help: the fault is of the disk or its folder, not of the file's place. */
export function isPassing(failure: unknown): boolean {
  if (!(failure instanceof AppError)) return false;
  if (failure.code === 'PLATFORM_FILE_CHANGED') return true;
  return String(failure.code).startsWith('PLATFORM_') && PASSING.has(failure.details['code']);
}

/** Tries `root`: that it is there, and that so much can be written. Null when all is well. */
export async function probeFolder(root: string, need: FolderNeed): Promise<PlatformError | null> {
  const file = join(root, `.bidwidth-${randomBytes(6).toString('hex')}.probe`);
  try {
    await fs.readdir(root);
    if (need.writeBytes === 0) return null;
    try {
      // Free space as the system reports it knows nothing of quotas: only writing tells.
      await fs.writeFile(file, new Uint8Array(need.writeBytes).fill(1), { flush: true });
    } finally {
      await fs.rm(file, { force: true });
    }
    return null;
  } catch (failure) {
    return diskFailure(failure as NodeJS.ErrnoException, root);
  }
}
