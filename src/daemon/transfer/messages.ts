/** What the main thread and the transfer thread say to each other: plain values only. */
import type { MessagePort } from 'node:worker_threads';
import type { TrackerStatus } from '../../discovery/index.ts';
import type {
  EncryptionPolicy,
  PeerAddress,
  TorrentPhase,
  TorrentSnapshot,
} from '../../engine/index.ts';
import type { ExchangeSnapshot } from '../../exchange/index.ts';
import type { Allocation, ResumeRecord } from '../../platform/disk/index.ts';
import type { ProxyAddress } from '../../platform/egress/index.ts';
import type { FileName } from '../../wire/index.ts';
import type { TrackerTiers } from '../trackers/edit-trackers.ts';
import type { ExchangeSettings } from './exchange-settings.ts';
import type { PieceRange } from './piece-waits.ts';

/** How the transfer thread is set up. Rates in bytes a second, `Infinity` for no limit. */
export interface TransferOptions {
  /** Port to listen on; 0 lets the system choose; null does not listen. */
  readonly listenPort: number | null;
  /** Literal address to listen on and to send from; null for all. */
  readonly bindHost: string | null;
  /** What everything goes through; left out or null, nothing. UDP and listening are then off. */
  readonly proxy?: ProxyAddress | null;
  readonly uploadLimit: number;
  readonly downloadLimit: number;
  /** What is encrypted; absent: both kinds are accepted, and dialled in the clear first. */
  readonly encryption?: EncryptionPolicy;
  /** Whether peers are dialled and let in over TCP, over uTP; absent: yes. */
  readonly useTcp?: boolean;
  readonly useUtp?: boolean;
  /** A filter list: its addresses are neither dialled nor let in. Read again when it changes. */
  readonly ipList?: string | null;
  /** Whether neighbours are told of torrents, and heard (BEP 14); left out, they are not. */
  readonly useLsd?: boolean;
  /** Whether peers tell us of peers, and we them (BEP 11); left out, they do not. */
  readonly usePex?: boolean;
  /** Connections at most, all torrents together; left out, the engine's number. */
  readonly connectionsMax?: number;
  /** Peers of one torrent at most; left out, the engine's number. */
  readonly peersPerTorrentMax?: number;
  /** How room for files is taken; left out, they grow as pieces come. */
  readonly allocation?: Allocation;
  /** Folder of resume records; null keeps none. */
  readonly resumeDir: string | null;
  /** Where nodes keep which files they use; left out, only this thread's torrents are compared. */
  readonly filesInUse?: readonly string[];
  /** The market's side; null for an ordinary client. */
  readonly exchange: ExchangeSettings | null;
  /** Where purse and book are served; goes with `exchange`. */
  readonly moneyPort: MessagePort | null;
  /** Where the node's DHT is served; null or left out without one. */
  readonly dhtPort?: MessagePort | null;
}

/** A torrent to work on. */
export interface TorrentSpec {
  readonly source:
    | { readonly kind: 'metainfo'; readonly bytes: Uint8Array }
    | { readonly kind: 'magnet'; readonly text: string };
  /** Folder that holds, or will hold, the torrent's first path element. */
  readonly root: string;
  readonly peers: readonly PeerAddress[];
  readonly useTrackers: boolean;
  /** Announced to instead of the source's, whatever `useTrackers` says. */
  readonly trackers?: TrackerTiers;
  /** A seed fails when something is missing instead of downloading it. */
  readonly mustBeComplete: boolean;
  /**
   * Priorities of files in torrent order, padding not counted: 0 is not wanted, 4 is usual, 7 comes
   * first. More of them than files fail the torrent with DAEMON_FILE_UNKNOWN.
   */
  readonly filePriorities?: readonly number[];
  /** Of the files that `filePriorities` does not reach; 4 when it is left out. */
  readonly otherFilesPriority?: number;
  /** Begins pieces by index, not by rarity. */
  readonly isSequential?: boolean;
  /** Complete at its start, it super-seeds until others have everything (BEP 16). */
  readonly isSuperSeed?: boolean;
  /**
   * The resume record, or null when there is none: whoever gives it keeps the records, and hears
   * of new ones as news. Left out, they are kept in `resumeDir`.
   */
  readonly resume?: ResumeRecord | null;
  /** Names of files in place of the torrent's own; those it cannot have fail it. */
  readonly names?: readonly FileName[];
  /** Files that are longer than it says are cut: an older version of it was there. */
  readonly mustFit?: boolean;
  /** Believes no resume record: everything is hashed. */
  readonly mustRecheck?: boolean;
  /** Whether it may fall asleep when it is complete and nobody wants it. */
  readonly maySleep?: boolean;
  /** Of this torrent alone, in bytes a second; left out, only the limits of all count. */
  readonly limits?: TransferRates;
}

/** How a torrent goes on after a rest. */
export interface RestartTerms {
  /** Where its files are now. */
  readonly root: string;
  /** Names of its files; left out, they are as they were. */
  readonly names?: readonly FileName[];
  /** Takes the place of its resume record; null forgets it, and everything is hashed. */
  readonly resume?: ResumeRecord | null;
  /** It need not be complete any more: what is missing is downloaded. */
  readonly mayDownload?: boolean;
}

/**
 * A complete torrent that costs next to nothing until a peer asks for it: then `wanted` is told,
 * and it is to be `add`ed within a few seconds.
 */
export interface SleepingTorrent {
  /** Lower-case hex info-hash. */
  readonly torrent: string;
  /** A hybrid's other info-hash, 20 bytes in hex: peers may come by either. */
  readonly otherName?: string | null;
  /** Announced to; empty announces nowhere. */
  readonly trackers: readonly (readonly string[])[];
  readonly isPrivate: boolean;
}

/** What a torrent at work is doing. Sizes in bytes, rates in bytes a second. */
export interface TorrentActivity {
  readonly torrent: string;
  readonly phase: TorrentPhase;
  readonly haveBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receiveRate: number;
  readonly sendRate: number;
  readonly peerCount: number;
}

/** One tracker of a torrent. */
export interface TrackerView {
  readonly url: string;
  /** From 0. */
  readonly tier: number;
  /** `idle` while it was not its turn. */
  readonly state: TrackerStatus['state'] | 'idle';
  /** What is wrong, in one plain line; null while nothing is. */
  readonly message: string | null;
  readonly seeders: number | null;
  readonly leechers: number | null;
}

/** What happened to a torrent. `line` is for people. */
export type TorrentNews =
  | { readonly kind: 'metadata'; readonly name: string; readonly infoBytes: Uint8Array }
  /** Piece layers of a v2 torrent that a magnet or a torrent file lacked, by root in hex. */
  | {
      readonly kind: 'layers';
      readonly infoBytes: Uint8Array;
      readonly layers: ReadonlyMap<string, Uint8Array>;
    }
  /** Files are being made in their full length. */
  | { readonly kind: 'allocating'; readonly doneBytes: number; readonly allBytes: number }
  | { readonly kind: 'checking'; readonly checked: number; readonly pieceCount: number }
  | { readonly kind: 'started'; readonly goodPieces: number; readonly pieceCount: number }
  | { readonly kind: 'tracker'; readonly line: string; readonly isFailure: boolean }
  | { readonly kind: 'ban'; readonly line: string }
  /** Why paying stopped, or did not begin. */
  | { readonly kind: 'market'; readonly line: string }
  /** To be kept by whoever gave `resume`; null to be forgotten. */
  | { readonly kind: 'resume'; readonly record: ResumeRecord | null }
  /** It sleeps, and a peer asks for it: `add` it. */
  | { readonly kind: 'wanted' }
  /** It fell asleep: nobody has asked for it in a while. */
  | { readonly kind: 'asleep' }
  /** The disk refuses, or files have changed: it waits and tries again; `started` follows. */
  | { readonly kind: 'waiting'; readonly code: string; readonly line: string }
  | { readonly kind: 'complete' }
  | { readonly kind: 'failed'; readonly code: string; readonly line: string };

/** New limits in bytes a second; `Infinity` lifts one, a missing one stays. */
export interface TransferRates {
  readonly upload?: number;
  readonly download?: number;
}

/** Where the internet reaches a port of ours. */
export interface OutsidePlace {
  readonly port: number;
  /** Our address out there, as our router says; null while it is unknown. Unproven. */
  readonly host: string | null;
}

/** How much one direction of a transfer thread is used. */
export interface DirectionLoad {
  /** Block payload since the thread began. */
  readonly movedBytes: number;
  /** Whether the thread's limit held something back since it was last asked. */
  readonly wasShort: boolean;
}

/** How busy a transfer thread is. */
export interface TransferLoad {
  readonly upload: DirectionLoad;
  readonly download: DirectionLoad;
}

/** Everything the screen shows at one moment. */
export interface TransferSnapshot {
  readonly torrents: readonly TorrentSnapshot[];
  readonly exchange: ExchangeSnapshot | null;
}

/** Calls of the main thread; `torrent` is the key `add` returned. */
export interface TransferCalls {
  add(spec: TorrentSpec): Promise<string>;
  /** Registers complete torrents without reading them. */
  addSleeping(torrents: readonly SleepingTorrent[]): Promise<void>;
  /** Of torrents at work and asleep alike; what it did last, null of one that was asleep. */
  remove(torrent: string): Promise<TorrentActivity | null>;
  /** Lets a torrent that waits for its disk try at once. */
  retry(torrent: string): Promise<void>;
  /**
   * Makes a torrent let go of its files until `goOn`; its trackers and known peers stay. False when
   * it is not at work here: then nothing is done.
   */
  rest(torrent: string): Promise<boolean>;
  goOn(torrent: string, terms: RestartTerms): Promise<void>;
  addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void>;
  /**
   * Replaces the priorities of files, as in `TorrentSpec`; missing ones are 4. What is not wanted
   * any more stays on disk; what is wanted again goes on. Refused with DAEMON_FILE_UNKNOWN.
   */
  prioritiseFiles(torrent: string, priorities: readonly number[]): Promise<void>;
  setSequential(torrent: string, isSequential: boolean): Promise<void>;
  /**
   * Announces to these trackers from now on, of torrents at work and asleep: removed ones hear
   * `stopped`, new ones `started`.
   */
  setTrackers(torrent: string, tiers: TrackerTiers): Promise<void>;
  /** Every tracker and how it does, in the order of the tiers. */
  trackers(torrent: string): Promise<readonly TrackerView[]>;
  /**
   * Resolves when the pieces are verified and on disk: in their files as far as these are wanted.
   * They are fetched before all others, due one after the other from now to `withinMs`. Refused
   * with DAEMON_PIECES_GIVEN_UP when they are forgotten or the torrent stops.
   */
  whenHere(torrent: string, range: PieceRange, withinMs: number): Promise<void>;
  /** Gives up every `whenHere` of exactly this range. */
  forget(torrent: string, range: PieceRange): Promise<void>;
  /** Limits one torrent, or all of the thread together. */
  limit(rates: TransferRates, torrent?: string): Promise<void>;
  /** By our own port: what to announce in its place. A port that is missing is reached directly. */
  reachedAt(outside: ReadonlyMap<number, OutsidePlace>): Promise<void>;
  /** How busy the thread is: cheap, unlike `snapshot`. */
  load(): Promise<TransferLoad>;
  snapshot(): Promise<TransferSnapshot>;
  /** Torrents at work, in brief: those asleep do nothing. */
  activity(): Promise<readonly TorrentActivity[]>;
  /** Pays what is owed; `snapshot` is final for money afterwards. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Name of a call. */
export type TransferCallName = keyof TransferCalls;

/** From the main thread. */
export interface CallMessage {
  readonly id: number;
  readonly name: TransferCallName;
  readonly args: readonly unknown[];
}

/** From the transfer thread. */
export type TransferMessage =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'broken'; readonly code: string; readonly line: string }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly code: string; readonly line: string }
  /** For people, about the thread as a whole: see `TransferListener.onNotice`. */
  | { readonly type: 'notice'; readonly line: string }
  | { readonly type: 'news'; readonly torrent: string; readonly news: TorrentNews };
