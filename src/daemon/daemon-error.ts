/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `DaemonError`, each explained in `docs/errors.md`. */
export type DaemonErrorCode =
  | 'DAEMON_TORRENT_UNSUPPORTED'
  | 'DAEMON_TORRENT_UNKNOWN'
  | 'DAEMON_TORRENT_DUPLICATE'
  | 'DAEMON_DATA_INCOMPLETE'
  | 'DAEMON_FILE_UNKNOWN'
  | 'DAEMON_FILE_NAME'
  | 'DAEMON_FILE_IN_USE'
  | 'DAEMON_PIECES_GIVEN_UP'
  | 'DAEMON_SCHEDULE_INVALID'
  | 'DAEMON_TRACKER_INVALID'
  | 'DAEMON_TRACKER_UNKNOWN'
  | 'DAEMON_FILE_UNREADABLE'
  | 'DAEMON_FILE_UNWRITABLE'
  | 'DAEMON_FILE_EXISTS'
  | 'DAEMON_NOTHING_TO_SHARE'
  | 'DAEMON_DHT_ALONE'
  | 'DAEMON_ITEM_UNKNOWN'
  | 'DAEMON_ITEM_INVALID'
  | 'DAEMON_ITEM_REFUSED';

/** The node cannot do what it was asked. The message says why and what to do. */
export class DaemonError extends AppError<DaemonErrorCode> {
  override readonly name = 'DaemonError';
}
