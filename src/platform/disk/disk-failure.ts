/** What went wrong with a file, in one plain line. */
import { PlatformError } from '../platform-error.ts';

/** Wraps a system error about `path`; the torrent pauses and says this. */
export function diskFailure(failure: NodeJS.ErrnoException, path: string): PlatformError {
  const details = { path, code: failure.code };
  const options = { cause: failure };
  switch (failure.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new PlatformError(
        'PLATFORM_DISK_FULL',
        `the disk is full at ${path}: free some space and start the torrent again`,
        details,
        options,
      );
    case 'ENOENT':
      return new PlatformError(
        'PLATFORM_FILE_MISSING',
        `${path} is missing: put it back, or download it again`,
        details,
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PlatformError(
        'PLATFORM_DISK',
        `${path} cannot be opened: check its permissions`,
        details,
        options,
      );
    case 'EISDIR':
    case 'ENOTDIR':
      return new PlatformError(
        'PLATFORM_DISK',
        `${path} is in the way: a folder stands where a file belongs, or the reverse`,
        details,
        options,
      );
    default:
      return new PlatformError('PLATFORM_DISK', `${path}: ${failure.message}`, details, options);
  }
}
