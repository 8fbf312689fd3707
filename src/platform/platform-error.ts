/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `PlatformError`, each explained in `docs/errors.md`. */
export type PlatformErrorCode =
  | 'PLATFORM_PORT_TAKEN'
  | 'PLATFORM_LISTEN'
  | 'PLATFORM_IP_LIST'
  | 'PLATFORM_BIND'
  | 'PLATFORM_PROXY_URL'
  | 'PLATFORM_PROXY'
  | 'PLATFORM_PROXY_TARGET'
  | 'PLATFORM_PROXY_UDP'
  | 'PLATFORM_NAT'
  | 'PLATFORM_DISK_FULL'
  | 'PLATFORM_DISK'
  | 'PLATFORM_FILE_MISSING'
  | 'PLATFORM_FILE_CHANGED'
  | 'PLATFORM_FILE_IN_THE_WAY';

/** The machine said no: a port, a disk, a file. The message says which and what to do. */
export class PlatformError extends AppError<PlatformErrorCode> {
  override readonly name = 'PlatformError';
}
