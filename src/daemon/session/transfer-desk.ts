/** Where a session hands torrents to the transfer threads, and takes them back. */
import { AppError, assert } from '../../units/index.ts';
import type {
  RestartTerms,
  SleepingTorrent,
  TrackerView,
  TransferCalls,
  TransferRates,
} from '../transfer/messages.ts';
import type { Activities, SessionEntry } from './session-entry.ts';
import type { SessionStore } from './session-store.ts';
import type { TorrentRecord } from './session-torrent.ts';

/** What a session needs of the transfer threads. */
export type SessionTransfer = Pick<
  TransferCalls,
  | 'add'
  | 'addSleeping'
  | 'remove'
  | 'activity'
  | 'prioritiseFiles'
  | 'setSequential'
  | 'limit'
  | 'setTrackers'
  | 'trackers'
  | 'retry'
  | 'rest'
  | 'goOn'
  | 'stop'
>;

/** Sleeping torrents told to the transfer thread in one message. */
const BATCH = 1_000;

/** What the desk says. */
export interface DeskEvents {
  /** A torrent cannot be worked on. */
  readonly onFailed: (entry: SessionEntry, line: string) => void;
  /** It has left: what it has moved since `before`, up to its end. */
  readonly onLeft: (entry: SessionEntry, last: Activities) => void;
}

/** The desk. `transfer` is set once the threads run; nothing is handed over before. */
export class TransferDesk {
  transfer: SessionTransfer | null = null;
  readonly #store: SessionStore;
  readonly #events: DeskEvents;

  constructor(store: SessionStore, events: DeskEvents) {
    this.#store = store;
    this.#events = events;
  }

  /** Puts a torrent to work. */
  work(entry: SessionEntry): void {
    const { record } = entry;
    const { key, filePriorities, isSequential } = record;
    entry.place = 'working';
    entry.activity = null;
    entry.call(async () => {
      const source = this.#store.source(key);
      assert(source, 'a session keeps the source of each torrent');
      const isPartial = filePriorities?.includes(0) ?? false;
      try {
        await this.#ready.add({
          source,
          root: record.root,
          names: record.names,
          peers: record.peers,
          useTrackers: true,
          trackers: record.trackers,
          mustBeComplete: record.isComplete && !isPartial,
          resume: this.#store.resume(key),
          maySleep: true,
          isSequential,
          limits: limitsOf(record),
          ...(filePriorities ? { filePriorities } : {}),
        });
      } catch (failure) {
        if (!(failure instanceof AppError)) throw failure;
        this.#events.onFailed(entry, failure.message);
      }
    });
  }

  /** Makes complete torrents ready for whoever asks. */
  async lay(entries: readonly SessionEntry[]): Promise<void> {
    const transfer = this.#ready;
    for (let at = 0; at < entries.length; at += BATCH) {
      const batch = entries.slice(at, at + BATCH);
      for (const entry of batch) entry.place = 'asleep';
      const told = settled(batch).then(() => transfer.addSleeping(batch.map(sleeperOf)));
      for (const entry of batch) entry.call(() => told);
      await settled(batch);
    }
  }

  /** Takes a torrent out. */
  leave(entry: SessionEntry): void {
    if (entry.place === 'out') return;
    const before = entry.activity;
    entry.place = 'out';
    entry.activity = null;
    entry.checked = null;
    entry.trouble = null;
    entry.call(async () => {
      const now = await this.#ready.remove(entry.record.key);
      if (now) this.#events.onLeft(entry, { before, now });
    });
  }

  /** Asks the disk of a torrent that waits for it. */
  retry(entry: SessionEntry): void {
    entry.call(async () => {
      if (entry.place === 'working') await this.#ready.retry(entry.record.key);
    });
  }

  /** Forgets what is known of the files: at work it checks them now, others when they begin. */
  recheck(entry: SessionEntry): void {
    const { record } = entry;
    if (entry.place !== 'working') this.leave(entry);
    entry.call(async () => {
      const { key } = record;
      const isAtWork = await this.#ready.rest(key);
      this.#store.putResume(key, null);
      const terms = { root: record.root, resume: null, mayDownload: true };
      if (isAtWork) await this.#ready.goOn(key, terms);
    });
  }

  /** As `TransferCalls.rest`. */
  rest(key: string): Promise<boolean> {
    return this.#ready.rest(key);
  }

  /** As `TransferCalls.goOn`. */
  goOn(key: string, terms: RestartTerms): Promise<void> {
    return this.#ready.goOn(key, terms);
  }

  /** Of a torrent at work; others are given theirs when they start. */
  prioritise(entry: SessionEntry, priorities: readonly number[]): Promise<void> {
    return this.#tell(entry, (key) => this.#ready.prioritiseFiles(key, priorities));
  }

  /** As `prioritise`. */
  setSequential(entry: SessionEntry, isSequential: boolean): Promise<void> {
    return this.#tell(entry, (key) => this.#ready.setSequential(key, isSequential));
  }

  /** As `prioritise`. */
  limit(entry: SessionEntry, rates: TransferRates): Promise<void> {
    return this.#tell(entry, (key) => this.#ready.limit(rates, key));
  }

  async #tell(entry: SessionEntry, say: (key: string) => Promise<void>): Promise<void> {
    await entry.settled;
    if (!isAtWork(entry)) return;
    try {
      await say(entry.record.key);
    } catch (failure) {
      // It fell asleep or failed on its own, and the news of that came before this answer.
      if (isAtWork(entry)) throw failure;
    }
  }

  /** Of a torrent at work or asleep. */
  async setTrackers(entry: SessionEntry): Promise<void> {
    await entry.settled;
    if (entry.place === 'out') return;
    await this.#ready.setTrackers(entry.record.key, entry.record.trackers);
  }

  /** Every tracker; those of a torrent that does nothing are idle. */
  async trackers(entry: SessionEntry): Promise<readonly TrackerView[]> {
    await entry.settled;
    const { key, trackers } = entry.record;
    if (entry.place !== 'out') return this.#ready.trackers(key);
    const quiet = { state: 'idle', message: null, seeders: null, leechers: null } as const;
    return trackers.flatMap((urls, tier) => urls.map((url) => ({ url, tier, ...quiet })));
  }

  get #ready(): SessionTransfer {
    assert(this.transfer, 'the transfer threads run');
    return this.transfer;
  }
}

/** Resolves when every call made so far for these torrents was answered. */
export async function settled(entries: Iterable<SessionEntry>): Promise<void> {
  await Promise.all([...entries].map((entry) => entry.settled));
}

function isAtWork({ place }: SessionEntry): boolean {
  return place === 'working';
}

function limitsOf({ uploadLimit, downloadLimit }: TorrentRecord): TransferRates {
  return { upload: uploadLimit ?? Infinity, download: downloadLimit ?? Infinity };
}

function sleeperOf({ record }: SessionEntry): SleepingTorrent {
  const { key, otherName, trackers, isPrivate } = record;
  return { torrent: key, otherName, trackers, isPrivate };
}
