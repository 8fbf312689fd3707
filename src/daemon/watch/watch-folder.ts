/**
 * A folder whose torrent files and magnet links are added. What was added is renamed or deleted
 * only when the session has it on disk: a process that is killed adds nothing twice, loses nothing.
 */
import fs from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../units/index.ts';
import type { AddOutcome, AddRequest } from '../session/session-torrent.ts';
import { explain, readTorrentSource, type TorrentSource } from '../torrent-source.ts';
import { FolderEvents } from './folder-events.ts';

/** A folder to watch, and what becomes of torrents found there; the rest is as in `AddRequest`. */
export interface WatchOptions extends Omit<AddRequest, 'source'> {
  readonly folder: string;
  /** What is done with a file that was added; left out, it is renamed to `….added`. */
  readonly afterwards?: 'rename' | 'delete';
}

/** What happened to a file, or to the folder; `line` is for people. */
export interface WatchNews {
  readonly kind: 'added' | 'invalid' | 'trouble';
  readonly path: string;
  readonly line: string;
}

/** What a watch needs. */
export interface WatchDeps {
  /** Resolves when the torrent is on the session's disk; rejects when it cannot get there now. */
  readonly add: (request: AddRequest) => Promise<AddOutcome>;
  readonly tell: (news: WatchNews) => void;
  /** A file that cannot be read is broken when it has not changed for so long. */
  readonly stillMs?: number;
  readonly pollMs?: number;
}

/** As long as a network share may show an old size (NFS keeps attributes for 3 s and more). */
const STILL_MS = 10_000;

/** Network shares tell of no changes. */
const POLL_MS = 10_000;

/** Longer than any link that is read (`MAGNET_CHARACTERS_MAX`). */
const MAGNET_BYTES_MAX = 256 * 1024;

/** A file as it was when it was last looked at. */
interface Seen {
  /** Changes when the file does. */
  readonly print: string;
  readonly sinceMs: number;
  /** Nothing more is to be done about it, but it could not be renamed. */
  isDone: boolean;
  /** Said already. */
  trouble: string | null;
}

/** Watches from `start` to `stop`. Folders inside are left alone. */
export class WatchFolder {
  readonly #folder: string;
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #seen = new Map<string, Seen>();
  readonly #events: FolderEvents;
  #trouble: string | null = null;

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#folder = resolve(options.folder);
    this.#options = options;
    this.#deps = deps;
    const pollMs = deps.pollMs ?? POLL_MS;
    this.#events = new FolderEvents(this.#folder, { pollMs, look: () => this.#look() });
  }

  /** What is there already counts. */
  start(): void {
    this.#events.start();
  }

  /** Resolves when nothing is being added any more. */
  stop(): Promise<void> {
    return this.#events.stop();
  }

  /** Looks at every file; true when one of them is to be looked at again soon. */
  async #look(): Promise<boolean> {
    let names: string[];
    try {
      names = await fs.readdir(this.#folder);
      this.#trouble = null;
    } catch (failure) {
      const line = `the watch folder ${this.#folder} ${explain(failure)}`;
      if (line !== this.#trouble) this.#say('trouble', this.#folder, line);
      this.#trouble = line;
      return false;
    }
    const present = new Set(names);
    for (const name of this.#seen.keys()) if (!present.has(name)) this.#seen.delete(name);
    let isAnyUnfinished = false;
    for (const name of names.toSorted()) {
      if (this.#events.isStopped) return false;
      if (await this.#consider(name)) isAnyUnfinished = true;
    }
    return isAnyUnfinished;
  }

  /** Adds a file, or finds it broken; true when it may still be being written. */
  async #consider(name: string): Promise<boolean> {
    const extension = /\.(torrent|magnet)$/i.exec(name)?.[1]?.toLowerCase();
    if (extension === undefined) return false;
    const path = join(this.#folder, name);
    // What a link points to counts; nothing but plain files is opened.
    const stat = await fs.stat(path).catch(() => null);
    if (!stat?.isFile()) return false;
    const print = `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    const nowMs = performance.now();
    let seen = this.#seen.get(name);
    if (seen?.print !== print) {
      seen = { print, sinceMs: nowMs, isDone: false, trouble: null };
      this.#seen.set(name, seen);
    }
    if (seen.isDone) return false;
    const isStill = nowMs - seen.sinceMs >= (this.#deps.stillMs ?? STILL_MS);
    try {
      const source = await read(path, { isMagnet: extension === 'magnet', isStill });
      const outcome = source && (await this.#deps.add({ ...this.#options, source }));
      if (outcome && isHere(outcome)) {
        await this.#finish(seen, path);
        return false;
      }
      const line = outcome && !outcome.ok ? outcome.line : 'it is empty';
      if (isStill) await this.#reject(seen, path, line);
      return !isStill;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      if (seen.trouble !== failure.message) this.#say('trouble', path, failure.message);
      seen.trouble = failure.message;
      return false;
    }
  }

  async #finish(seen: Seen, path: string): Promise<void> {
    seen.isDone = true;
    try {
      if (this.#options.afterwards === 'delete') await fs.unlink(path);
      else await fs.rename(path, `${path}.added`);
    } catch {
      this.#say('trouble', path, `${path} was added, but cannot be renamed or deleted`);
      return;
    }
    this.#say('added', path, `added ${path}`);
  }

  async #reject(seen: Seen, path: string, line: string): Promise<void> {
    seen.isDone = true;
    const isRenamed = await fs.rename(path, `${path}.invalid`).then(
      () => true,
      () => false,
    );
    const fate = isRenamed ? 'renamed to .invalid' : 'left alone';
    this.#say('invalid', path, `${path} is ${fate}: ${line}`);
  }

  #say(kind: WatchNews['kind'], path: string, line: string): void {
    this.#deps.tell({ kind, path, line });
  }
}

/** What a file says; null when it is empty, or a link that may go on. */
async function read(
  path: string,
  { isMagnet, isStill }: { readonly isMagnet: boolean; readonly isStill: boolean },
): Promise<TorrentSource | null> {
  const source = await readTorrentSource(path);
  if (!isMagnet || source.kind === 'magnet' || source.bytes.length > MAGNET_BYTES_MAX) {
    return source;
  }
  const text = new TextDecoder().decode(source.bytes);
  // A torrent file ends where its dictionary does; a link may end anywhere, but for a line break.
  if (text.trim() === '' || !(isStill || text.endsWith('\n'))) return null;
  return { kind: 'magnet', text: text.trim() };
}

/** Added now, or before: by the user, or by a process that was killed before it could rename. */
function isHere(outcome: AddOutcome): boolean {
  return outcome.ok || outcome.code === 'DAEMON_TORRENT_DUPLICATE';
}
