/** One torrent of a running session, and its way into the transfer thread and out of it. */
import { AssertionFailure } from '../../units/index.ts';
import {
  endOfSeeding,
  isAnyLimit,
  ratioOf,
  type SeedingEnd,
  type SeedingLimits,
  type SeedingTotals,
} from '../policy/index.ts';
import type { TorrentActivity } from '../transfer/messages.ts';
import type { SessionState, SessionTorrent, TorrentRecord } from './session-torrent.ts';

/** Where a torrent is, or is on its way to. */
export type Place = 'out' | 'working' | 'asleep';

/** What a torrent did at a moment, and when it was asked before: null, then it had just begun. */
export interface Activities {
  readonly before: TorrentActivity | null;
  readonly now: TorrentActivity;
}

/** A torrent in memory. */
export class SessionEntry {
  readonly record: TorrentRecord;
  /** When it came to its place, on the clock of `performance`. */
  placedAt = 0;
  #place: Place = 'out';
  activity: TorrentActivity | null = null;
  /** While files are hashed: how far, 0 to 1. */
  checked: number | null = null;
  /** Why it waits for its disk; null while it does not. */
  trouble: string | null = null;
  /** Its files are on their way. */
  isMoving = false;
  moveTrouble: string | null = null;
  /** Nothing of it is to be written any more. */
  isRemoved = false;
  #last: Promise<void> = Promise.resolve();

  constructor(record: TorrentRecord) {
    this.record = record;
  }

  get place(): Place {
    return this.#place;
  }
  set place(place: Place) {
    this.#place = place;
    this.placedAt = performance.now();
  }

  get position(): number {
    return this.record.position;
  }
  set position(position: number) {
    this.record.position = position;
  }

  /** Whether the queue decides about it. */
  get isWilling(): boolean {
    const { isPaused, failure, seedingEnd } = this.record;
    return !this.isMoving && !isPaused && failure === null && seedingEnd === null;
  }

  get state(): SessionState {
    if (this.isMoving) return 'moving';
    if (this.record.failure !== null) return 'failed';
    if (this.record.isPaused) return 'paused';
    if (this.record.seedingEnd !== null) return 'seeded';
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

  /** Adds what was moved between two moments, the second at `seconds`; true if anything was. */
  count({ before, now }: Activities, seconds: number): boolean {
    const { record } = this;
    const receivedBytes = now.receivedBytes - (before?.receivedBytes ?? 0);
    const sentBytes = now.sentBytes - (before?.sentBytes ?? 0);
    record.receivedBytes += receivedBytes;
    record.sentBytes += sentBytes;
    if (sentBytes > 0) record.sentAt = seconds;
    return receivedBytes + sentBytes > 0;
  }

  /** Takes in what it does at `seconds`; true when totals of the record changed. */
  observe(activity: TorrentActivity, seconds: number): boolean {
    const hasMoved = this.count({ before: this.activity, now: activity }, seconds);
    const { record } = this;
    this.activity = activity;
    // Before it has begun, what is on disk is not known to it.
    const isKnown = activity.phase !== 'metadata';
    const haveBytes = isKnown ? activity.haveBytes : record.haveBytes;
    // Files were asked for that had not been wanted.
    if (activity.phase === 'downloading') record.isComplete = false;
    const hasChanged = record.haveBytes !== haveBytes;
    record.haveBytes = haveBytes;
    return hasChanged || hasMoved;
  }

  /**
   * Begins to count time of seeding at `seconds`, or stops to; true when the record changed. Called
   * about once a second.
   */
  countSeeding(seconds: number): boolean {
    const { record, place, trouble, checked, isMoving } = this;
    const isHere = trouble === null && checked === null && !isMoving;
    const isSeeding = record.isComplete && place !== 'out' && isHere;
    if (isSeeding === (record.seedingSince !== null)) return false;
    record.seedSeconds = this.#totals(seconds).seedSeconds;
    record.seedingSince = isSeeding ? seconds : null;
    return true;
  }

  /** The limit of seeding that it has reached; null while there is none. */
  endOfSeeding(usual: SeedingLimits, seconds: number): SeedingEnd | null {
    const { seeding } = this.record;
    // Most have none, and ten thousand are asked each second.
    if (seeding === null && !isAnyLimit(usual)) return null;
    return endOfSeeding({ ...usual, ...seeding }, this.#totals(seconds));
  }

  view(seconds: number): SessionTorrent {
    const { state, activity, checked, trouble, moveTrouble } = this;
    const { seedingSince: _since, sentAt: _at, ...record } = this.record;
    const totals = this.#totals(seconds);
    return {
      ...record,
      seedSeconds: totals.seedSeconds,
      idleSeconds: totals.idleSeconds,
      ratio: ratioOf(record),
      state,
      checked,
      trouble,
      moveTrouble,
      receiveRate: activity?.receiveRate ?? 0,
      sendRate: activity?.sendRate ?? 0,
      peerCount: activity?.peerCount ?? 0,
    };
  }

  #totals(seconds: number): SeedingTotals {
    const { record } = this;
    const { seedingSince, sentAt } = record;
    const since = seedingSince ?? seconds;
    const seedSeconds = record.seedSeconds + Math.max(0, seconds - since);
    const idleSeconds = Math.max(0, seconds - Math.max(since, sentAt ?? since));
    return { ...record, seedSeconds, idleSeconds };
  }
}
