/** What went wrong with a file, in one plain line. */
import { PlatformError } from '../platform-error.ts';

/** Wraps a system error about `path`; the torrent pauses and says this. */
export function diskFailure(
  failure: Pick<NodeJS.ErrnoException, 'code'> & { readonly message?: string },
  path: string,
): PlatformError {
  const details = { path, code: failure.code };
  const options = { cause: failure };
  switch (failure.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PlatformError(
        'PLATFORM_DISK_FULL',
        `the disk is full at ${path}: free some space`,
        details,
        options,
      );
    case 'EFBIG':
      return new PlatformError(
        'PLATFORM_DISK_FULL',
        `the disk is full at ${path}, or the file is larger than is allowed there`,
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
      return new PlatformError(
        'PLATFORM_DISK',
        `${path} cannot be opened: check its permissions`,
        details,
        options,
      );
    case 'EROFS':
      return new PlatformError(
        'PLATFORM_DISK',
        `${path} is on a disk that is read-only: make it writable`,
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
