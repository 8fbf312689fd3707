/**
 * A node's torrents over restarts: what is remembered of them, which of them may work, and their
 * way into the transfer thread. Ten thousand complete torrents cost a row and a name each.
 */
import { AppError, type Instant, instant, unixSeconds } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { DataFolder } from '../data-folder.ts';
import type { TorrentNews } from '../transfer/messages.ts';
import type { TransferListener } from '../transfer/transfer.ts';
import { metainfoOf, readRequest } from './new-record.ts';
import { chooseRunning, QUEUE_LIMITS, type QueueLimits, SlowWatch } from './queue.ts';
import { type QueueMove, QueueOrder } from './queue-order.ts';
import { SessionEntry } from './session-entry.ts';
import { SessionStore } from './session-store.ts';
import type { AddOutcome, AddRequest, SessionTorrent, TorrentRecord } from './session-torrent.ts';
import { type SessionTransfer, settled, TransferDesk } from './transfer-desk.ts';

/** How a session is opened. */
export interface SessionOptions {
  readonly data: DataFolder;
  /** Starts the transfer threads; the session stops them. */
  readonly start: (listener: TransferListener) => Promise<SessionTransfer>;
  /** Missing ones are `QUEUE_LIMITS`. */
  readonly limits?: Partial<QueueLimits>;
  /** Hears of everything that happens to torrents. */
  readonly onNews?: (torrent: string, news: TorrentNews) => void;
  /** The transfer thread died, or the disk refuses what is to be remembered. */
  readonly onTrouble: (failure: Error) => void;
}

/** How often torrents at work are asked what they do. */
const OBSERVE_MS = 1_000;
/** Slow torrents are found out as often as this. */
const BALANCE_MS = 5_000;

/** An open session. */
export class Session {
  readonly #store: SessionStore;
  readonly #options: SessionOptions;
  readonly #limits: QueueLimits;
  readonly #entries = new Map<string, SessionEntry>();
  readonly #order: QueueOrder<SessionEntry>;
  readonly #slow = new SlowWatch();
  readonly #desk: TransferDesk;
  #timer: NodeJS.Timeout | null = null;
  #balancedAt: Instant = instant(0);
  #isObserving = false;
  #isClosing = false;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#limits = { ...QUEUE_LIMITS, ...options.limits };
    this.#store = new SessionStore(options.data.session, options.onTrouble);
    this.#desk = new TransferDesk(this.#store, (entry, line) => this.#fail(entry, line));
    for (const record of this.#store.load()) {
      this.#entries.set(record.key, new SessionEntry(record));
    }
    this.#order = new QueueOrder([...this.#entries.values()]);
  }

  /**
   * Opens the session of a data folder and puts its torrents to work. Files are not looked at
   * before somebody asks for them. Throws `DatabaseError` and what `start` throws.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    try {
      session.#desk.transfer = await options.start({
        onNews: (torrent, news) => session.#onNews(torrent, news),
        onCrash: (failure) => options.onTrouble(failure),
      });
    } catch (failure) {
      session.#store.close();
      throw failure;
    }
    await session.#desk.lay([...session.#order].filter(isReadySeed));
    session.#balance();
    session.#timer = setInterval(() => void session.#observe(), OBSERVE_MS);
    return session;
  }

  /** Every torrent in the order of the queue. */
  list(): readonly SessionTorrent[] {
    return [...this.#order].map((entry) => entry.view());
  }

  /** One torrent; null when it is not here. */
  get(key: string): SessionTorrent | null {
    return this.#entries.get(key)?.view() ?? null;
  }

  /**
   * Adds torrents behind all others. Resolves when those that may work are at work; within about a
   * second later they are on the disk. Keeps the sources' bytes.
   */
  async add(requests: readonly AddRequest[]): Promise<readonly AddOutcome[]> {
    const outcomes: AddOutcome[] = [];
    const added: SessionEntry[] = [];
    for (const request of requests) {
      const outcome = await this.#addOne(request);
      if (outcome instanceof SessionEntry) added.push(outcome);
      outcomes.push(
        outcome instanceof SessionEntry ? { ok: true, key: outcome.record.key } : outcome,
      );
    }
    await this.#desk.lay(added.filter(isReadySeed));
    this.#balance();
    await settled(added);
    return outcomes;
  }

  /** Forgets torrents; their files stay. Throws DAEMON_TORRENT_UNKNOWN. */
  async remove(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#find(key));
    for (const entry of entries) {
      this.#leave(entry);
      this.#entries.delete(entry.record.key);
      this.#order.delete(entry);
      this.#store.remove(entry.record.key);
    }
    this.#balance();
    await settled(entries);
  }

  /** Stops torrents until they are resumed. Throws DAEMON_TORRENT_UNKNOWN. */
  async pause(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#find(key));
    for (const entry of entries) {
      entry.record.isPaused = true;
      this.#store.put(entry.record);
      this.#leave(entry);
    }
    this.#balance();
    await settled(entries);
  }

  /**
   * Lets paused and failed torrents go on, and those that wait for their disk try at once. One that
   * failed because files are missing downloads them again. Throws DAEMON_TORRENT_UNKNOWN.
   */
  async resume(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#find(key));
    for (const entry of entries) {
      const { record } = entry;
      if (entry.trouble !== null) this.#desk.retry(entry);
      if (record.failure !== null) record.isComplete = false;
      record.failure = null;
      record.isPaused = false;
      this.#store.put(record);
    }
    this.#balance();
    await settled(entries);
  }

  /** Changes places in the queue. Throws DAEMON_TORRENT_UNKNOWN. */
  move(keys: readonly string[], where: QueueMove): void {
    const chosen = new Set(keys.map((key) => this.#find(key)));
    for (const { record } of this.#order.move(chosen, where)) this.#store.put(record);
    this.#balance();
  }

  /** Sets 0 to 7 per file in torrent order. Throws DAEMON_TORRENT_UNKNOWN, DAEMON_FILE_UNKNOWN. */
  async prioritise(key: string, priorities: readonly number[]): Promise<void> {
    const entry = this.#find(key);
    const { record } = entry;
    await this.#desk.prioritise(entry, priorities);
    record.filePriorities = [...priorities];
    // A seed may lack what is wanted now: that comes out once it is at work.
    record.isComplete &&= entry.place === 'working';
    if (entry.place === 'asleep') this.#leave(entry);
    this.#store.put(record);
    this.#balance();
  }

  /** Downloads in the order of the data, or not. Throws DAEMON_TORRENT_UNKNOWN. */
  async setSequential(key: string, isSequential: boolean): Promise<void> {
    const entry = this.#find(key);
    entry.record.isSequential = isSequential;
    this.#store.put(entry.record);
    await this.#desk.setSequential(entry, isSequential);
  }

  /** Stops the transfer threads and writes what is to be remembered. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#timer) clearInterval(this.#timer);
    try {
      await settled(this.#entries.values());
      await this.#desk.transfer?.stop();
    } finally {
      this.#store.close();
    }
  }

  async #addOne(request: AddRequest): Promise<SessionEntry | Extract<AddOutcome, { ok: false }>> {
    try {
      const { record, resume } = await readRequest(request);
      const { key } = record;
      if (this.#entries.has(key)) {
        throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is here already');
      }
      record.position = this.#order.nextPosition;
      const entry = new SessionEntry(record);
      this.#entries.set(key, entry);
      this.#order.push(entry);
      this.#store.put(record);
      this.#store.putSource(key, request.source);
      if (resume) this.#store.putResume(key, resume);
      return entry;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      return { ok: false, code: failure.code, line: failure.message };
    }
  }

  /** Lets the queue decide who works. */
  #balance(): void {
    if (this.#isClosing) return;
    const now = instant(performance.now());
    this.#balancedAt = now;
    const willing: SessionEntry[] = [];
    for (const entry of this.#order) if (entry.isWilling) willing.push(entry);
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
        this.#leave(entry);
        continue;
      }
      this.#slow.start(key, now);
      if (isComplete) seeds.push(entry);
      else this.#desk.work(entry);
    }
    void this.#desk.lay(seeds);
  }

  #leave(entry: SessionEntry): void {
    this.#slow.forget(entry.record.key);
    this.#desk.leave(entry);
  }

  #fail(entry: SessionEntry, line: string): void {
    entry.record.failure = line;
    this.#store.put(entry.record);
    this.#leave(entry);
    this.#balance();
  }

  #onNews(key: string, news: TorrentNews): void {
    const entry = this.#entries.get(key);
    if (entry) this.#take(entry, news);
    this.#options.onNews?.(key, news);
  }

  #take(entry: SessionEntry, news: TorrentNews): void {
    const { record } = entry;
    switch (news.kind) {
      case 'metadata':
        this.#learn(record, news.infoBytes);
        break;
      case 'layers':
        this.#learn(record, news.infoBytes, news.layers);
        break;
      case 'resume':
        this.#store.putResume(record.key, news.record);
        break;
      case 'wanted':
        if (entry.place === 'asleep') this.#desk.work(entry);
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
        this.#store.put(record);
        break;
      case 'complete':
        this.#complete(entry);
        break;
      case 'failed':
        this.#fail(entry, news.line);
        break;
      case 'tracker':
      case 'ban':
      case 'market':
        break;
    }
  }

  #complete({ record }: SessionEntry): void {
    if (record.isComplete) return;
    record.isComplete = true;
    record.completedAt ??= unixSeconds(Date.now() / 1000);
    this.#store.put(record);
    this.#balance();
  }

  /** A magnet's metadata has come: from now on the torrent starts by itself. */
  #learn(
    record: TorrentRecord,
    infoBytes: Uint8Array,
    layers?: ReadonlyMap<string, Uint8Array>,
  ): void {
    const { source, info, totalBytes } = metainfoOf(infoBytes, record.trackers, layers);
    record.name = info.name;
    record.totalBytes = totalBytes;
    record.isPrivate = info.isPrivate;
    this.#store.putSource(record.key, source);
    this.#store.put(record);
  }

  /** Asks those at work what they do. Those asleep are not asked. */
  async #observe(): Promise<void> {
    const { transfer } = this.#desk;
    if (this.#isObserving || !transfer || !isAnyWorking(this.#entries.values())) return;
    this.#isObserving = true;
    try {
      const now = instant(performance.now());
      for (const activity of await transfer.activity()) {
        const entry = this.#entries.get(activity.torrent);
        if (entry?.place !== 'working') continue;
        if (entry.observe(activity)) this.#store.put(entry.record);
        this.#slow.observe(activity.torrent, entry.rate, now);
      }
      if (now - this.#balancedAt >= BALANCE_MS) this.#balance();
    } catch (failure) {
      if (!this.#isClosing) this.#options.onTrouble(failure as Error);
    } finally {
      this.#isObserving = false;
    }
  }

  #find(key: string): SessionEntry {
    const entry = this.#entries.get(key);
    if (entry) return entry;
    throw new DaemonError('DAEMON_TORRENT_UNKNOWN', `there is no torrent ${key} here`);
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
