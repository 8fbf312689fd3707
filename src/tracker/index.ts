/**
 * The server side of trackers: who announced which torrent, and what to answer.
 *
 * Pure; sockets are the platform's. Remembers addresses only, never believes one a client
 * claims, and bounds everything clients can make it remember. Start with `tracker-service.ts`.
 *
 * @module
 */
export type { Mac } from './connection-ids.ts';
export { TABLE_DEFAULTS, type TableOptions } from './table-options.ts';
export {
  type TrackerDatagram,
  type TrackerDependencies,
  type TrackerHttpAnswer,
  type TrackerHttpRequest,
  TrackerService,
  type TrackerStats,
} from './tracker-service.ts';
