/** Moves torrents of a session to other folders, one step after another, over restarts. */
import { AppError } from '../../units/index.ts';
import { finishRelocation, isSamePlace, type Place, relocate } from '../places/index.ts';
import { readInput } from '../transfer/torrent-input.ts';
import type { SessionEntry } from './session-entry.ts';
import type { SessionStore } from './session-store.ts';
import type { TransferDesk } from './transfer-desk.ts';

/** What moving needs of its session. */
export interface FileMovesDeps {
  readonly store: SessionStore;
  readonly desk: TransferDesk;
  /** A move has ended: the queue may decide about the torrent again. */
  readonly onEnd: () => void;
}

/** The moves of one session. */
export class FileMoves {
  readonly #deps: FileMovesDeps;
  readonly #underWay = new Map<SessionEntry, AbortController>();

  constructor(deps: FileMovesDeps) {
    this.#deps = deps;
  }

  /**
   * Moves a torrent to place `to`, with what else is on its way to the transfer thread before it.
   * Refused with the reason in `moveTrouble`, too; then the torrent stays where it is.
   */
  async move(entry: SessionEntry, to: Place): Promise<void> {
    const { record } = entry;
    if (entry.isMoving) await this.stop(entry);
    const { root, names } = record;
    if (isSamePlace({ root, names }, to) || entry.isRemoved) return;
    record.moving = { from: { root, names }, to };
    this.#deps.store.put(record);
    // Known before anything is done: after a kill the move goes on.
    this.#deps.store.flush();
    await this.goOn(entry);
  }

  /** Goes on with a move that is on record. */
  async goOn(entry: SessionEntry): Promise<void> {
    const abort = new AbortController();
    this.#underWay.set(entry, abort);
    entry.isMoving = true;
    entry.moveTrouble = null;
    let failure: unknown = null;
    entry.call(async () => {
      try {
        await this.#move(entry, abort.signal);
      } catch (thrown) {
        failure = thrown;
      }
      this.#underWay.delete(entry);
      entry.isMoving = false;
    });
    await entry.settled;
    if (abort.signal.aborted) return;
    if (failure instanceof AppError) entry.moveTrouble = failure.message;
    this.#deps.onEnd();
    if (failure) throw failure;
  }

  /** Ends a move under way, which stays on record; the files stay whole at one place. */
  async stop(entry: SessionEntry): Promise<void> {
    this.#underWay.get(entry)?.abort();
    if (entry.isMoving) await entry.settled;
  }

  async #move(entry: SessionEntry, signal: AbortSignal): Promise<void> {
    const { store, desk } = this.#deps;
    const { record } = entry;
    const { key } = record;
    const isAtWork = await desk.rest(key);
    try {
      if (!signal.aborted) await this.#moveFiles(entry, signal);
    } finally {
      // Once aborted, the record is not ours to write: it may have been removed.
      if (!signal.aborted) {
        // What was committed and not finished is finished at the next start.
        if (record.moving && !isSamePlace(record, record.moving.to)) record.moving = null;
        store.put(record);
      }
      if (isAtWork) {
        const { root, names } = record;
        await desk.goOn(key, { root, names, resume: store.resume(key) });
      }
    }
  }

  async #moveFiles({ record }: SessionEntry, signal: AbortSignal): Promise<void> {
    const { store } = this.#deps;
    const { key, moving } = record;
    const source = store.source(key);
    if (!moving || !source) return;
    const arrive = (): void => {
      record.root = moving.to.root;
      record.names = moving.to.names;
      store.put(record);
    };
    const { info } = readInput(source);
    if (!info) {
      arrive();
    } else if (isSamePlace(record, moving.to)) {
      await finishRelocation({ key, info, ...moving });
    } else {
      const resume = await relocate(
        { key, info, ...moving },
        {
          resume: store.resume(key),
          signal,
          commit: async (staged) => {
            signal.throwIfAborted();
            arrive();
            store.putResume(key, staged);
            store.flush();
          },
        },
      );
      if (!signal.aborted) store.putResume(key, resume);
    }
    record.moving = null;
  }
}
