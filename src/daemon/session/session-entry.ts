/** One torrent of a running session, and its way into the transfer thread and out of it. */
import { AssertionFailure } from '../../units/index.ts';
import type { TorrentActivity } from '../transfer/messages.ts';
import type { SessionState, SessionTorrent, TorrentRecord } from './session-torrent.ts';

/** Where a torrent is, or is on its way to. */
export type Place = 'out' | 'working' | 'asleep';

/** A torrent in memory. */
export class SessionEntry {
  readonly record: TorrentRecord;
  place: Place = 'out';
  activity: TorrentActivity | null = null;
  /** While files are hashed: how far, 0 to 1. */
  checked: number | null = null;
  /** Why it waits for its disk; null while it does not. */
  trouble: string | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(record: TorrentRecord) {
    this.record = record;
  }

  get position(): number {
    return this.record.position;
  }
  set position(position: number) {
    this.record.position = position;
  }

  /** Whether the queue decides about it. */
  get isWilling(): boolean {
    return !this.record.isPaused && this.record.failure === null;
  }

  get state(): SessionState {
    if (this.record.failure !== null) return 'failed';
    if (this.record.isPaused) return 'paused';
    if (this.trouble !== null && this.place === 'working') return 'waiting';
    return this.place === 'out' ? 'queued' : this.place;
  }

  /** The payload rate that its place in the queue is for. */
  get rate(): number {
    const { activity } = this;
    return (this.record.isComplete ? activity?.sendRate : activity?.receiveRate) ?? 0;
  }

  /** Resolves when all calls so far have been answered. */
  get settled(): Promise<void> {
    return this.#last;
  }

  /**
   * Calls to the transfer thread go one after another: a removed torrent must be gone first. A call
   * fails only when the thread has died, of which its listener has heard.
   */
  call(work: () => Promise<unknown>): void {
    this.#last = this.#last.then(work).then(
      () => {},
      (failure) => {
        if (failure instanceof AssertionFailure) throw failure;
      },
    );
  }

  /** Takes in what it does now; true when totals of the record changed. */
  observe(activity: TorrentActivity): boolean {
    const before = this.activity;
    const { record } = this;
    const receivedBytes = activity.receivedBytes - (before?.receivedBytes ?? 0);
    const sentBytes = activity.sentBytes - (before?.sentBytes ?? 0);
    this.activity = activity;
    record.receivedBytes += receivedBytes;
    record.sentBytes += sentBytes;
    // Before it has begun, what is on disk is not known to it.
    const isKnown = activity.phase !== 'metadata';
    const haveBytes = isKnown ? activity.haveBytes : record.haveBytes;
    // Files were asked for that had not been wanted.
    if (activity.phase === 'downloading') record.isComplete = false;
    const hasChanged = record.haveBytes !== haveBytes || receivedBytes + sentBytes > 0;
    record.haveBytes = haveBytes;
    return hasChanged;
  }

  view(): SessionTorrent {
    const { record, state, activity, checked, trouble } = this;
    return {
      ...record,
      state,
      checked,
      trouble,
      receiveRate: activity?.receiveRate ?? 0,
      sendRate: activity?.sendRate ?? 0,
      peerCount: activity?.peerCount ?? 0,
    };
  }
}
