/** Plain values for the screen and the API: safe to send to another thread. */
import type { PeerCounters } from './extension.ts';

/**
 * What a torrent is doing. It is seeding when everything is here, and finished when all that was
 * selected is here; both serve others.
 */
export type TorrentPhase =
  | 'metadata'
  | 'downloading'
  | 'finished'
  | 'seeding'
  | 'stopped'
  | 'failed';

/** A peer as people want to see it: who, what it does to us, what we do to it, and why. */
export interface PeerSnapshot extends PeerCounters {
  readonly peerKey: number;
  readonly host: string;
  readonly port: number;
  readonly isOutbound: boolean;
  /** What the remote calls itself, unchecked. */
  readonly client: string | null;
  /** Lower-case hex. */
  readonly peerId: string;
  readonly isSeed: boolean;
  readonly isChokingUs: boolean;
  readonly isInteresting: boolean;
  readonly isUnchoked: boolean;
  readonly isInterested: boolean;
  readonly isSnubbed: boolean;
  readonly requestsOut: number;
  readonly requestsIn: number;
}

/** A torrent at one moment. Sizes in bytes, rates in bytes a second. */
export interface TorrentSnapshot {
  /** Lower-case hex info-hash. */
  readonly key: string;
  readonly name: string | null;
  readonly phase: TorrentPhase;
  readonly pieceCount: number;
  readonly goodPieces: number;
  readonly totalBytes: number;
  /** Verified and on disk, rounded to whole pieces. */
  readonly haveBytes: number;
  /** Of the pieces that are wanted, here or not. */
  readonly wantedBytes: number;
  /** Of the wanted pieces that are not here. */
  readonly remainingBytes: number;
  /** Block payload moved in this session. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receiveRate: number;
  readonly sendRate: number;
  /** Of this torrent alone; `Infinity` for none. */
  readonly uploadLimit: number;
  readonly downloadLimit: number;
  readonly failedPieces: number;
  readonly peers: readonly PeerSnapshot[];
  readonly knownPeers: number;
}
