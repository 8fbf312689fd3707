/** A torrent as a session keeps it, asks for it and shows it. */
import type { PeerAddress } from '../../engine/index.ts';
import type { UnixSeconds } from '../../units/index.ts';
import type { FileName } from '../../wire/index.ts';
import type { Place } from '../places/index.ts';
import type { SeedingLimits } from '../policy/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import type { TrackerTiers } from '../trackers/index.ts';
import type { TransferRates } from '../transfer/messages.ts';

/** What is remembered of a torrent, beside its source and its resume record. */
export interface TorrentRecord {
  /** Lower-case hex info-hash. */
  readonly key: string;
  /** A hybrid's other info-hash, 20 bytes in hex; null of others and while it is unknown. */
  otherName: string | null;
  /** Null while only a magnet is known. */
  name: string | null;
  /** Folder that holds, or will hold, the torrent's first path element. */
  root: string;
  /** Where it is to be moved once it is complete; null leaves it where it is. */
  moveTo: string | null;
  /** A move that is not finished: the files are where `root` and `names` say, one of both. */
  moving: { readonly from: Place; readonly to: Place } | null;
  /** Names of files in place of the torrent's own. */
  names: readonly FileName[];
  /** Its place in the queue: the least comes first. Any number, no two alike. */
  position: number;
  isPaused: boolean;
  /** All that is wanted is here. */
  isComplete: boolean;
  /** Why it stopped by itself; it stays so until it is resumed. */
  failure: string | null;
  /** 0 while unknown. */
  totalBytes: number;
  haveBytes: number;
  /** Block payload over all runs. */
  receivedBytes: number;
  sentBytes: number;
  readonly addedAt: UnixSeconds;
  completedAt: UnixSeconds | null;
  trackers: TrackerTiers;
  isPrivate: boolean;
  /** Named by the user: tried at every start. */
  readonly peers: readonly PeerAddress[];
  /** 0 to 7 per file in torrent order; null is usual for all. */
  filePriorities: readonly number[] | null;
  isSequential: boolean;
  /** Of this torrent alone, in bytes a second; null is none. */
  uploadLimit: number | null;
  downloadLimit: number | null;
  /** Missing fields are the session's; null is all of them. */
  seeding: Partial<SeedingLimits> | null;
  /** Why it stopped seeding by itself, in a line for people; it stays so until it is resumed. */
  seedingEnd: string | null;
  /** Of seeding, all but what has gone on since `seedingSince`. */
  seedSeconds: number;
  /** Since when it seeds, and when it last sent something, on the session's clock; null if not. */
  seedingSince: number | null;
  sentAt: number | null;
}

/**
 * What a torrent is doing: `working` in the transfer thread; `asleep` complete and ready for any
 * peer that comes; `queued` until others are done; `waiting` for its disk, which it tries again by
 * itself; `moving` to another folder; `seeded` as much as was asked; `paused` by the user;
 * `failed` by itself.
 */
export type SessionState =
  | 'working'
  | 'asleep'
  | 'queued'
  | 'waiting'
  | 'moving'
  | 'seeded'
  | 'paused'
  | 'failed';

/** A torrent at one moment. Rates in bytes a second. */
export interface SessionTorrent extends Readonly<Omit<TorrentRecord, 'seedingSince' | 'sentAt'>> {
  readonly state: SessionState;
  /** Upload for each byte of download, over all runs. */
  readonly ratio: number;
  /** Of seeding since anybody took something. */
  readonly idleSeconds: number;
  readonly receiveRate: number;
  readonly sendRate: number;
  readonly peerCount: number;
  /** While files are hashed: how far, 0 to 1. */
  readonly checked: number | null;
  /** What it waits for, in a line for people; null unless it is `waiting`. */
  readonly trouble: string | null;
  /** Why the last move did not happen, or not to its end; null when there was no trouble. */
  readonly moveTrouble: string | null;
}

/** A torrent to add. */
export interface AddRequest {
  readonly source: TorrentSource;
  readonly root: string;
  /** Names of files in place of the torrent's own. */
  readonly names?: readonly FileName[];
  /** Where it goes once it is complete. */
  readonly moveTo?: string;
  readonly isPaused?: boolean;
  readonly peers?: readonly PeerAddress[];
  readonly useTrackers?: boolean;
  readonly filePriorities?: readonly number[];
  readonly isSequential?: boolean;
  /** Of this torrent alone, in bytes a second; a missing one or `Infinity` is none. */
  readonly limits?: TransferRates;
  /** When it stops seeding; missing fields are the session's. */
  readonly seeding?: Partial<SeedingLimits>;
  /**
   * Everything is said to be here: only the lengths of the files are looked at. If they are wrong,
   * the torrent is checked as usual. (libtorrent's seed mode; for moving from another client.)
   */
  readonly isSaidToBeComplete?: boolean;
}

/** What became of one request. */
export type AddOutcome =
  | { readonly ok: true; readonly key: string }
  | { readonly ok: false; readonly code: string; readonly line: string };
