/** A node's torrents over restarts. Start with `session.ts`. */
export { QUEUE_LIMITS, type QueueLimits } from './queue.ts';
export type { QueueMove } from './queue-order.ts';
export { Session } from './session.ts';
export type { SessionNews, SessionOptions } from './session-options.ts';
export type {
  AddOutcome,
  AddRequest,
  SessionState,
  SessionTorrent,
  TorrentRecord,
} from './session-torrent.ts';
export { readPeers, readPriorities, readTiers } from './stored-json.ts';
export type { SessionTransfer } from './transfer-desk.ts';
