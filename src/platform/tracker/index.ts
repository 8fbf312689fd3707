/**
 * Trackers with real sockets: `TrackerAnnouncer` keeps one torrent announced over a shared
 * `TrackerTransport`; `startTrackerServer` is a tracker of our own.
 *
 * What to ask when is decided in `discovery`, what to answer in `tracker`; here is only I/O.
 * Start with `tracker-announcer.ts`.
 *
 * @module
 */
export { type ResolveHost, resolveTracker, type TrackerAddresses } from './resolve-tracker.ts';
export {
  type AnnouncerTorrent,
  type AnnounceStats,
  TrackerAnnouncer,
} from './tracker-announcer.ts';
export { TrackerError, type TrackerErrorCode } from './tracker-error.ts';
export {
  startTrackerServer,
  type TrackerServer,
  type TrackerServerOptions,
} from './tracker-server.ts';
export { TrackerTransport, type TransportOptions } from './tracker-transport.ts';
