/** Many small writes, one trip to the disk: what a burst of vouchers needs. */
import type { Database } from './database.ts';

/** Most writes in one transaction: bounds how long the event loop is held. */
const GROUP_WRITES_MAX = 4_096;

/** Longest rest between two groups: a voucher waits no longer for its acknowledgement. */
const REST_MS_MAX = 10;

/** Told when a write is on the disk, or why it is not. */
export type OnDurable = (error: Error | null) => void;

interface PendingWrite {
  readonly write: () => void;
  readonly onDurable: OnDurable;
}

/**
 * Gathers the writes of one turn of the event loop into one transaction.
 *
 * Callbacks run after the commit, in the order of the calls. When the transaction fails, nothing
 * of it is on the disk and every callback of the group gets the error.
 */
export class GroupCommit {
  readonly #database: Database;
  #pending: PendingWrite[] = [];
  #isScheduled = false;
  #restUntilMs = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes not yet on the disk. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Queues a write; `onDurable` is called once it is on the disk, never before this returns. */
  add(write: () => void, onDurable: OnDurable): void {
    this.#pending.push({ write, onDurable });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Commits take at most half of the time: on a slow disk groups grow instead of the queue.
    const restMs = this.#restUntilMs - performance.now();
    if (restMs > 0) setTimeout(() => this.flush(), restMs);
    else setImmediate(() => this.flush());
  }

  /** Commits what is queued now. Called by itself; call it before closing the database. */
  flush(): void {
    this.#isScheduled = false;
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, GROUP_WRITES_MAX);
      const beganMs = performance.now();
      const failure = this.#commit(group);
      const endedMs = performance.now();
      this.#restUntilMs = endedMs + Math.min(endedMs - beganMs, REST_MS_MAX);
      for (const { onDurable } of group) onDurable(failure);
    }
  }

  #commit(group: readonly PendingWrite[]): Error | null {
    try {
      this.#database.transaction(() => {
        for (const { write } of group) write();
      });
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
