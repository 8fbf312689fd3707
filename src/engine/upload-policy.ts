/** Who may be served and with what weight: the one decision the engine lets others take over. */
import type { Instant, Random } from '../units/index.ts';

/** A connected peer as the policy sees it. */
export interface UploadCandidate {
  readonly peerKey: number;
  readonly torrentKey: string;
  readonly remoteHost: string;
  /** Peers of one place may be one user; null for those who are not counted by place. */
  readonly place: string | null;
  readonly isInterested: boolean;
  readonly isUnchoked: boolean;
  /** We have all that we want of this torrent. */
  readonly isSeeding: boolean;
  /** Smoothed block payload rates, bytes a second. */
  readonly receiveRate: number;
  readonly sendRate: number;
  /** Totals of this connection in bytes. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly connectedAt: Instant;
  /** When it was last unchoked; null before the first time. */
  readonly unchokedAt: Instant | null;
}

/** One round of choosing. */
export interface UploadRound {
  readonly now: Instant;
  /** Upload capacity in bytes a second: the user's limit, or the best measured rate. */
  readonly capacity: number;
  /** Whether `capacity` is a limit the user set. */
  readonly isLimited: boolean;
  /** How many peers the standard policy keeps unchoked. */
  readonly slots: number;
  readonly candidates: readonly UploadCandidate[];
  readonly random: Random;
}

/** A peer to keep unchoked. Weights are relative: shares of the upload while all have requests. */
export interface UploadGrant {
  readonly peerKey: number;
  readonly weight: number;
}

/** Decides a round; whoever is not granted is choked. */
export interface UploadPolicy {
  allot(round: UploadRound): readonly UploadGrant[];
}
