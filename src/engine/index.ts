/**
 * The BitTorrent engine: torrents, peers, choosing pieces, choking, serving, checking.
 *
 * Given bytes, time and ports to the disk and the network, it decides what to send and to store.
 * It must never learn what money is, and does no I/O of its own. Start with `engine.ts` and
 * `torrent.ts`; a block's way in is `peer.ts` → `peer-download.ts` → `partial-piece.ts` →
 * `piece-flow.ts`, its way out `peer-upload.ts` → `upload-scheduler.ts`.
 *
 * @module
 */
export { PieceGeometry, type TorrentContent } from './content.ts';
export type { EncryptionOptions, EncryptionPolicy } from './encryption-policy.ts';
export { Engine, type EngineDeps, type EngineOptions } from './engine.ts';
export {
  FREE_TAG,
  type PeerCounters,
  type PeerExtension,
  type PeerExtensionSession,
  type PeerLink,
} from './extension.ts';
export type { HashedFile } from './hash-tree.ts';
export { Holepunch } from './holepunch/holepunch.ts';
export type { HolepunchDeps, HolepunchTorrent } from './holepunch/holepunch-torrent.ts';
export type { Classify, Neighbour } from './meeting-place.ts';
export type { PeerAddress, PeerSource } from './peer-book.ts';
export { PeerExchange } from './pex/peer-exchange.ts';
export type { PexDeps, PexNeighbour, PexTorrent } from './pex/pex-torrent.ts';
export type {
  Connection,
  ConnectionEvents,
  Dialer,
  DiskDone,
  Hasher,
  PieceStore,
} from './ports.ts';
export { LEVEL_MAX, LEVEL_NORMAL } from './selection.ts';
export type { PeerSnapshot, TorrentPhase, TorrentSnapshot } from './snapshot.ts';
export { standardChoking } from './standard-choking.ts';
export type { Deadline } from './time-critical.ts';
export type { Torrent, TorrentEvents } from './torrent.ts';
export type { RateLimits } from './torrent-limits.ts';
export type {
  UploadCandidate,
  UploadGrant,
  UploadPolicy,
  UploadRound,
} from './upload-policy.ts';
export { type UtpDeps, UtpHost } from './utp/utp-host.ts';
