/** When to look at a folder: when the system says that it changed, and now and then anyway. */
import { type FSWatcher, watch } from 'node:fs';
import fs from 'node:fs/promises';

/** How a folder is looked at. */
export interface FolderLooks {
  readonly pollMs: number;
  /** Never called while it is under way; true when it is to be called again soon. */
  readonly look: () => Promise<boolean>;
}

/** Several changes at a time are one, and a file that is being written is looked at so often. */
const SOON_MS = 500;

/** Calls `look` from `start` to `stop`. */
export class FolderEvents {
  readonly #folder: string;
  readonly #looks: FolderLooks;
  #watcher: FSWatcher | null = null;
  /** The folder that is watched: another one of the same name may have taken its place. */
  #inode = -1;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = Infinity;
  #isLooking = false;
  #isStopped = false;
  #done: Promise<void> = Promise.resolve();

  constructor(folder: string, looks: FolderLooks) {
    this.#folder = folder;
    this.#looks = looks;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  start(): void {
    this.#schedule(0);
  }

  /** Resolves when the last look is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#unwatch();
    await this.#done;
  }

  #schedule(inMs: number): void {
    const dueAt = performance.now() + inMs;
    if (this.#isStopped || dueAt >= this.#dueAt) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#run(), inMs);
    // A node lives for its peers, not for a folder.
    this.#timer.unref();
  }

  #run(): void {
    this.#dueAt = Infinity;
    if (this.#isLooking) {
      this.#schedule(SOON_MS);
      return;
    }
    this.#isLooking = true;
    this.#done = this.#lookOnce();
  }

  async #lookOnce(): Promise<void> {
    try {
      await this.#watch();
      const isSoon = await this.#looks.look();
      this.#schedule(isSoon ? SOON_MS : this.#looks.pollMs);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Where the system cannot watch, the polls have to do. */
  async #watch(): Promise<void> {
    const stat = await fs.stat(this.#folder).catch(() => null);
    if (this.#isStopped || (this.#watcher && stat?.ino === this.#inode)) return;
    this.#unwatch();
    if (!stat) return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, () => this.#schedule(SOON_MS));
      this.#watcher.on('error', () => this.#unwatch());
      this.#inode = stat.ino;
    } catch {
      this.#unwatch();
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
