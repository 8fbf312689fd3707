/**
 * A node's torrents over restarts, as users deal with them: added, paused, ordered, removed. Ten
 * thousand complete torrents cost a row and a name each. What they do meanwhile is in
 * `session-run.ts`.
 */
import { resolve } from 'node:path';
import { AppError, assert } from '../../units/index.ts';
import { type FileName, withName } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import { targetAt } from '../places/index.ts';
import { SEEDED_FOR_EVER, type SeedingLimits } from '../policy/index.ts';
import { editTrackers, type TrackerEdit } from '../trackers/index.ts';
import type { TrackerView, TransferRates } from '../transfer/messages.ts';
import { readInput } from '../transfer/torrent-input.ts';
import { WatchFolder, type WatchNews, type WatchOptions } from '../watch/index.ts';
import { finite, readRequest } from './new-record.ts';
import type { QueueMove } from './queue-order.ts';
import { SessionEntry } from './session-entry.ts';
import type { SessionOptions } from './session-options.ts';
import { SessionRun } from './session-run.ts';
import type { AddOutcome, AddRequest, SessionTorrent } from './session-torrent.ts';
import { settled } from './transfer-desk.ts';

/** An open session. */
export class Session {
  readonly #run: SessionRun;
  readonly #onWatch: SessionOptions['onWatch'];
  #watched: readonly WatchFolder[] = [];
  #closed: Promise<void> | null = null;

  private constructor(options: SessionOptions) {
    this.#onWatch = options.onWatch;
    this.#run = new SessionRun(options);
  }

  /**
   * Opens the session of a data folder and puts its torrents to work. Files are not looked at
   * before somebody asks for them. Throws `DatabaseError` and what `start` throws.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    await session.#run.open();
    await session.watch(options.watch ?? []);
    return session;
  }

  /** Every torrent in the order of the queue. */
  list(): readonly SessionTorrent[] {
    return [...this.#run.order].map((entry) => this.#view(entry));
  }

  /** One torrent; null when it is not here. */
  get(key: string): SessionTorrent | null {
    const entry = this.#run.entries.get(key);
    return entry ? this.#view(entry) : null;
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
    await this.#run.take(added);
    await settled(added);
    return outcomes;
  }

  /** Replaces the folders that torrents are added from. */
  async watch(folders: readonly WatchOptions[]): Promise<void> {
    await Promise.all(this.#watched.map((folder) => folder.stop()));
    this.#watched = folders.map((folder) => {
      const tell = (news: WatchNews): void => this.#onWatch?.(news);
      return new WatchFolder(folder, { add: (request) => this.#addDurably(request), tell });
    });
    for (const folder of this.#watched) folder.start();
  }

  /** Forgets torrents; their files stay. Throws DAEMON_TORRENT_UNKNOWN. */
  async remove(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#run.find(key));
    for (const entry of entries) this.#run.erase(entry);
    this.#run.balance();
    await settled(entries);
  }

  /** Stops torrents until they are resumed. Throws DAEMON_TORRENT_UNKNOWN. */
  async pause(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#run.find(key));
    for (const entry of entries) {
      entry.record.isPaused = true;
      this.#run.store.put(entry.record);
      this.#run.leave(entry);
    }
    this.#run.balance();
    await settled(entries);
  }

  /**
   * Lets paused and failed torrents go on, and those that wait for their disk try at once. One that
   * failed because files are missing downloads them again; one that was seeded enough seeds on
   * without limits. Throws DAEMON_TORRENT_UNKNOWN.
   */
  async resume(keys: readonly string[]): Promise<void> {
    const entries = keys.map((key) => this.#run.find(key));
    for (const entry of entries) {
      const { record } = entry;
      if (entry.trouble !== null) this.#run.desk.retry(entry);
      if (record.failure !== null) record.isComplete = false;
      record.failure = null;
      record.isPaused = false;
      // Who lets a seeded torrent go on does not want it to stop again at once.
      if (record.seedingEnd !== null) record.seeding = SEEDED_FOR_EVER;
      record.seedingEnd = null;
      this.#run.store.put(record);
    }
    this.#run.balance();
    await settled(entries);
  }

  /** Changes places in the queue. Throws DAEMON_TORRENT_UNKNOWN. */
  move(keys: readonly string[], where: QueueMove): void {
    const chosen = new Set(keys.map((key) => this.#run.find(key)));
    for (const { record } of this.#run.order.move(chosen, where)) this.#run.store.put(record);
    this.#run.balance();
  }

  /** Sets 0 to 7 per file in torrent order. Throws DAEMON_TORRENT_UNKNOWN, DAEMON_FILE_UNKNOWN. */
  async prioritise(key: string, priorities: readonly number[]): Promise<void> {
    const entry = this.#run.find(key);
    const { record } = entry;
    await this.#run.desk.prioritise(entry, priorities);
    record.filePriorities = [...priorities];
    // A seed may lack what is wanted now: that comes out once it is at work.
    record.isComplete &&= entry.place === 'working';
    if (!record.isComplete) record.seedingEnd = null;
    if (entry.place === 'asleep') this.#run.leave(entry);
    this.#run.store.put(record);
    this.#run.balance();
  }

  /**
   * Says when a torrent stops seeding: missing fields are the session's, null is all of them. One
   * that has stopped goes on when it has not reached the new limits. Throws DAEMON_TORRENT_UNKNOWN.
   */
  setSeeding(key: string, limits: Partial<SeedingLimits> | null): void {
    const entry = this.#run.find(key);
    entry.record.seeding = limits;
    if (this.#run.endOfSeeding(entry) === null) entry.record.seedingEnd = null;
    this.#run.store.put(entry.record);
    this.#run.balance();
  }

  /** When torrents without limits of their own stop seeding; those that have stopped stay so. */
  setUsualSeeding(limits: SeedingLimits): void {
    this.#run.seeding = limits;
  }

  /**
   * Limits one torrent, in bytes a second: `Infinity` lifts a limit, a missing one stays. Throws
   * DAEMON_TORRENT_UNKNOWN.
   */
  async limit(key: string, rates: TransferRates): Promise<void> {
    const entry = this.#run.find(key);
    const { record } = entry;
    if (rates.upload !== undefined) record.uploadLimit = finite(rates.upload);
    if (rates.download !== undefined) record.downloadLimit = finite(rates.download);
    this.#run.store.put(record);
    await this.#run.desk.limit(entry, rates);
  }

  /** Every tracker of a torrent and how it does. Throws DAEMON_TORRENT_UNKNOWN. */
  trackers(key: string): Promise<readonly TrackerView[]> {
    return this.#run.desk.trackers(this.#run.find(key));
  }

  /**
   * Changes a torrent's trackers; announces follow at once. Throws DAEMON_TORRENT_UNKNOWN and what
   * `editTrackers` throws.
   */
  async editTrackers(key: string, edit: TrackerEdit): Promise<void> {
    const entry = this.#run.find(key);
    entry.record.trackers = editTrackers(entry.record.trackers, edit);
    this.#run.store.put(entry.record);
    await this.#run.desk.setTrackers(entry);
  }

  /** Downloads in the order of the data, or not. Throws DAEMON_TORRENT_UNKNOWN. */
  async setSequential(key: string, isSequential: boolean): Promise<void> {
    const entry = this.#run.find(key);
    entry.record.isSequential = isSequential;
    this.#run.store.put(entry.record);
    await this.#run.desk.setSequential(entry, isSequential);
  }

  /**
   * Moves torrents with their files to another folder, one after another; those at work go on
   * there. A kill at any moment loses nothing: the move goes on when the session is opened again.
   * Throws DAEMON_TORRENT_UNKNOWN, and `PlatformError` when files are in the way or do not fit:
   * then that torrent stays where it is, and those after it.
   */
  async relocate(keys: readonly string[], folder: string): Promise<void> {
    const entries = keys.map((key) => this.#run.find(key));
    for (const entry of entries) {
      const { names } = entry.record;
      await this.#run.moves.move(entry, { root: resolve(folder), names });
    }
  }

  /**
   * Hashes everything again, and downloads what is wrong. A paused torrent is checked when it is
   * resumed, a failed one at once. Throws DAEMON_TORRENT_UNKNOWN.
   */
  async recheck(key: string): Promise<void> {
    const entry = this.#run.find(key);
    const { record } = entry;
    record.failure = null;
    // Until it is at work again, nothing is known to be here.
    record.isComplete &&= entry.place === 'working';
    this.#run.desk.recheck(entry);
    this.#run.store.put(record);
    this.#run.balance();
    await entry.settled;
  }

  /**
   * Gives a file, or the top folder, another path below the torrent's folder; also on disk.
   *
   * @throws DaemonError DAEMON_TORRENT_UNKNOWN, DAEMON_FILE_NAME
   * @throws PlatformError when a different file has the name
   */
  async rename(key: string, file: FileName['file'], path: string): Promise<void> {
    const entry = this.#run.find(key);
    const source = this.#run.store.source(key);
    const { info } = source ? readInput(source) : { info: null };
    if (!info) {
      throw new DaemonError('DAEMON_FILE_NAME', 'it is not known yet what files there are');
    }
    const { root } = entry.record;
    const top = info.files[0]?.path[0] ?? info.name;
    const to = { root, names: withName(entry.record.names, { file, path }, top) };
    targetAt(key, info, to);
    await this.#run.moves.move(entry, to);
  }

  /** Where a torrent goes once it is complete; null stays. Throws DAEMON_TORRENT_UNKNOWN. */
  setMoveTo(key: string, folder: string | null): void {
    const { record } = this.#run.find(key);
    record.moveTo = folder === null ? null : resolve(folder);
    this.#run.store.put(record);
  }

  /** Stops the transfer threads and writes what is to be remembered. */
  close(): Promise<void> {
    this.#closed ??= this.watch([]).then(() => this.#run.close());
    return this.#closed;
  }

  #view(entry: SessionEntry): SessionTorrent {
    return entry.view(this.#run.store.clock.seconds);
  }

  /** As `add`; it is on the disk when this resolves. Throws `DatabaseError`. */
  async #addDurably(request: AddRequest): Promise<AddOutcome> {
    const [outcome] = await this.add([request]);
    this.#run.store.flush();
    assert(outcome, 'each request has an outcome');
    return outcome;
  }

  async #addOne(request: AddRequest): Promise<SessionEntry | Extract<AddOutcome, { ok: false }>> {
    try {
      const { record, resume } = await readRequest(request);
      const { key } = record;
      if (this.#run.entries.has(key)) {
        throw new DaemonError('DAEMON_TORRENT_DUPLICATE', 'this torrent is here already');
      }
      record.position = this.#run.order.nextPosition;
      const entry = new SessionEntry(record);
      this.#run.register(entry);
      this.#run.store.putSource(key, request.source);
      if (resume) this.#run.store.putResume(key, resume);
      return entry;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      return { ok: false, code: failure.code, line: failure.message };
    }
  }
}
