/**
 * A session at work: which of its torrents are with the transfer threads, and what these say of
 * them. What users ask for is in `session.ts`.
 */
import { AppError, type Instant, instant, unixSeconds } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { SEEDED_FOR_EVER, type SeedingEnd, type SeedingLimits } from '../policy/index.ts';
import type { TorrentNews } from '../transfer/messages.ts';
import { otherNameOf } from '../transfer/torrent-input.ts';
import { FileMoves } from './file-moves.ts';
import { metainfoOf, selectionOf } from './new-record.ts';
import { chooseRunning, QUEUE_LIMITS, type QueueLimits, SlowWatch } from './queue.ts';
import { QueueOrder } from './queue-order.ts';
import { SessionEntry } from './session-entry.ts';
import type { SessionOptions } from './session-options.ts';
import { SessionStore } from './session-store.ts';
import type { TorrentRecord } from './session-torrent.ts';
import { settled, TransferDesk } from './transfer-desk.ts';

/** How often torrents at work are asked what they do. */
const OBSERVE_MS = 1_000;
/** A killed process forgets no more than so much time of seeding. */
const KEEP_TIME_MS = 60_000;
/** Slow torrents are found out as often as this. */
const BALANCE_MS = 5_000;

/** The torrents of an open session. */
export class SessionRun {
  readonly store: SessionStore;
  readonly desk: TransferDesk;
  readonly moves: FileMoves;
  readonly entries: Map<string, SessionEntry> = new Map();
  readonly order: QueueOrder<SessionEntry>;
  readonly #options: SessionOptions;
  readonly #limits: QueueLimits;
  readonly #slow = new SlowWatch();
  /** Of torrents that have no limits of their own. */
  seeding: SeedingLimits;
  #timer: NodeJS.Timeout | null = null;
  #balancedAt: Instant = instant(0);
  #keptTimeAt: Instant = instant(0);
  #isObserving = false;
  #isClosing = false;

  /** Reads what is remembered. Throws `DatabaseError`. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#limits = { ...QUEUE_LIMITS, ...options.limits };
    this.seeding = { ...SEEDED_FOR_EVER, ...options.seeding };
    this.store = new SessionStore(options.data.session, options.onTrouble);
    this.desk = new TransferDesk(this.store, {
      onFailed: (entry, line) => this.#fail(entry, line),
      onLeft: (entry, last) => {
        const hasMoved = entry.count(last, this.store.clock.seconds);
        // One that was removed is not to be remembered again.
        if (hasMoved && this.entries.get(entry.record.key) === entry) this.store.put(entry.record);
      },
    });
    this.moves = new FileMoves({
      store: this.store,
      desk: this.desk,
      onEnd: () => this.balance(),
    });
    for (const record of this.store.load()) {
      this.entries.set(record.key, new SessionEntry(record));
    }
    this.order = new QueueOrder([...this.entries.values()]);
  }

  /** Starts the transfer threads and puts torrents to work. Throws what `start` throws. */
  async open(): Promise<void> {
    try {
      this.desk.transfer = await this.#options.start({
        onNews: (torrent, news) => this.#onNews(torrent, news),
        onCrash: (failure) => this.#options.onTrouble(failure),
      });
    } catch (failure) {
      this.store.close();
      throw failure;
    }
    for (const entry of this.order) if (entry.record.moving) this.#goOnMoving(entry);
    await this.take([...this.order]);
    this.#timer = setInterval(() => this.#tick(), OBSERVE_MS);
  }

  /** Complete ones are made ready for whoever asks, of the others those that may begin to work. */
  async take(entries: readonly SessionEntry[]): Promise<void> {
    await this.desk.lay(entries.filter(isReadySeed));
    this.balance();
  }

  /** Puts one behind all others. */
  register(entry: SessionEntry): void {
    this.entries.set(entry.record.key, entry);
    this.order.push(entry);
    this.store.put(entry.record);
  }

  /** Takes one out and forgets it. */
  erase(entry: SessionEntry): void {
    entry.isRemoved = true;
    void this.moves.stop(entry);
    this.leave(entry);
    this.entries.delete(entry.record.key);
    this.order.delete(entry);
    this.store.remove(entry.record.key);
  }

  /** Throws DAEMON_TORRENT_UNKNOWN. */
  find(key: string): SessionEntry {
    const entry = this.entries.get(key);
    if (entry) return entry;
    throw new DaemonError('DAEMON_TORRENT_UNKNOWN', `there is no torrent ${key} here`);
  }

  /** Lets the queue decide who works. */
  balance(): void {
    if (this.#isClosing) return;
    const now = instant(performance.now());
    this.#balancedAt = now;
    const willing: SessionEntry[] = [];
    for (const entry of this.order) if (entry.isWilling) willing.push(entry);
    const running = chooseRunning(
      willing.map((entry) => ({
        key: entry.record.key,
        isSeed: entry.record.isComplete,
        isRunning: entry.place !== 'out',
        isSlow: this.#slow.isSlow(entry.record.key, now),
      })),
      this.#limits,
    );
    const seeds: SessionEntry[] = [];
    for (const entry of willing) {
      const { key, isComplete } = entry.record;
      if (running.has(key) === (entry.place !== 'out')) continue;
      if (!running.has(key)) {
        this.leave(entry);
        continue;
      }
      this.#slow.start(key, now);
      if (isComplete) seeds.push(entry);
      else this.desk.work(entry);
    }
    void this.desk.lay(seeds);
  }

  /** Takes one back from the transfer threads. */
  leave(entry: SessionEntry): void {
    this.#slow.forget(entry.record.key);
    this.desk.leave(entry);
  }

  /** Stops the transfer threads and writes what is to be remembered. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#timer) clearInterval(this.#timer);
    try {
      for (const entry of this.entries.values()) void this.moves.stop(entry);
      await settled(this.entries.values());
      await this.#observe();
      await this.desk.transfer?.stop();
    } finally {
      this.store.close();
    }
  }

  #fail(entry: SessionEntry, line: string): void {
    entry.record.failure = line;
    this.store.put(entry.record);
    this.leave(entry);
    this.balance();
  }

  #onNews(key: string, news: TorrentNews): void {
    const entry = this.entries.get(key);
    if (entry) this.#hear(entry, news);
    this.#options.onNews?.(key, news);
  }

  #hear(entry: SessionEntry, news: TorrentNews): void {
    const { record } = entry;
    switch (news.kind) {
      case 'metadata':
        this.#learn(record, news.infoBytes);
        break;
      case 'layers':
        this.#learn(record, news.infoBytes, news.layers);
        break;
      case 'resume':
        this.store.putResume(record.key, news.record);
        break;
      case 'wanted':
        if (entry.place === 'asleep') this.desk.work(entry);
        break;
      case 'asleep':
        if (entry.place === 'working') entry.place = 'asleep';
        entry.activity = null;
        this.#slow.forget(record.key);
        break;
      case 'checking':
        entry.checked = news.checked / news.pieceCount;
        break;
      case 'waiting':
        entry.trouble = news.line;
        break;
      case 'started':
        entry.trouble = null;
        entry.checked = null;
        record.haveBytes = Math.floor((record.totalBytes * news.goodPieces) / news.pieceCount);
        if (news.goodPieces < news.pieceCount) record.isComplete = false;
        this.store.put(record);
        break;
      case 'complete':
        this.#complete(entry);
        break;
      case 'failed':
        this.#fail(entry, news.line);
        break;
      case 'allocating':
      case 'tracker':
      case 'ban':
      case 'market':
        break;
    }
  }

  #complete(entry: SessionEntry): void {
    const { record } = entry;
    if (record.isComplete) return;
    record.isComplete = true;
    record.completedAt ??= unixSeconds(Date.now() / 1000);
    this.store.put(record);
    if (record.moveTo !== null && record.moveTo !== record.root) {
      const { root, names, moveTo } = record;
      record.moving = { from: { root, names }, to: { root: moveTo, names } };
      this.#goOnMoving(entry);
    }
    this.balance();
  }

  /** Trouble is kept with the torrent: nobody waits for this. */
  #goOnMoving(entry: SessionEntry): void {
    this.moves.goOn(entry).catch((failure) => {
      if (!(failure instanceof AppError)) this.#options.onTrouble(failure as Error);
    });
  }

  /** A magnet's metadata has come: from now on the torrent starts by itself. */
  #learn(
    record: TorrentRecord,
    infoBytes: Uint8Array,
    layers?: ReadonlyMap<string, Uint8Array>,
  ): void {
    const { source, info, totalBytes } = metainfoOf(infoBytes, record.trackers, layers);
    record.name = info.name;
    record.otherName = otherNameOf(record.key, info);
    record.totalBytes = totalBytes;
    record.isPrivate = info.isPrivate;
    record.filePriorities ??= selectionOf(this.store.source(record.key), info);
    this.store.putSource(record.key, source);
    this.store.put(record);
  }

  #tick(): void {
    void this.#observe();
    const now = instant(performance.now());
    const { seconds } = this.store.clock;
    for (const entry of this.entries.values()) {
      if (entry.countSeeding(seconds)) this.store.put(entry.record);
      const end = entry.record.seedingSince === null ? null : this.endOfSeeding(entry);
      if (end) this.#endSeeding(entry, end);
    }
    if (now - this.#keptTimeAt < KEEP_TIME_MS) return;
    this.#keptTimeAt = now;
    this.store.keepTime();
  }

  /** The limit of seeding that a torrent has reached; null while there is none. */
  endOfSeeding(entry: SessionEntry): SeedingEnd | null {
    return entry.endOfSeeding(this.seeding, this.store.clock.seconds);
  }

  #endSeeding(entry: SessionEntry, end: SeedingEnd): void {
    entry.record.seedingEnd = end.line;
    this.store.put(entry.record);
    this.leave(entry);
    this.balance();
    this.#options.onNews?.(entry.record.key, { kind: 'seeded', ...end });
  }

  /** Asks those at work what they do. Those asleep are not asked. */
  async #observe(): Promise<void> {
    const { transfer } = this.desk;
    if (this.#isObserving || !transfer || !isAnyWorking(this.entries.values())) return;
    this.#isObserving = true;
    try {
      const now = instant(performance.now());
      for (const activity of await transfer.activity()) {
        const entry = this.entries.get(activity.torrent);
        if (entry?.place !== 'working' || entry.placedAt > now) continue;
        if (entry.observe(activity, this.store.clock.seconds)) this.store.put(entry.record);
        this.#slow.observe(activity.torrent, entry.rate, now);
      }
      if (now - this.#balancedAt >= BALANCE_MS) this.balance();
    } catch (failure) {
      if (!this.#isClosing) this.#options.onTrouble(failure as Error);
    } finally {
      this.#isObserving = false;
    }
  }
}

/** Complete, willing and not with the transfer thread: it can be ready without taking a place. */
function isReadySeed({ record, isWilling, place }: SessionEntry): boolean {
  return record.isComplete && isWilling && place === 'out';
}

function isAnyWorking(entries: Iterable<SessionEntry>): boolean {
  for (const { place } of entries) if (place === 'working') return true;
  return false;
}
