/**
 * Which torrent works on which files: two may read the same ones, one alone may write. The claims
 * are in a table that all threads and all nodes of a user share; a node that was killed has none.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../platform/database/index.ts';
import { realPaths } from '../../platform/disk/index.ts';
import { AppError } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';

/** What a torrent does with a file. */
export type FileUse = 'read' | 'write';

const TABLE = `
  CREATE TABLE claim (
    path TEXT NOT NULL, owner TEXT NOT NULL, torrent TEXT NOT NULL, name TEXT NOT NULL,
    isWritten INTEGER NOT NULL, PRIMARY KEY (path, owner, torrent)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claimOf ON claim (owner, torrent);
`;

const LOCK_SUFFIX = '.lock';

interface Row {
  /** Who claims: a process id, `-`, and something random for its thread. */
  readonly owner: string;
  readonly name: string;
  readonly isWritten: number;
}

/** The table as one thread sees it. */
interface Registry {
  readonly table: Database;
  /** Null where nobody else sees the table. */
  readonly folder: string | null;
  /** Held while we live: the system lets go of it however we end. */
  readonly lock: Database | null;
}

/** The files of the torrents at work in one thread, guarded against those of all others. */
export class FileClaims {
  readonly #folders: readonly string[];
  readonly #owner = `${process.pid}-${randomUUID()}`;
  #opened: Registry | null = null;

  /** The table is kept in the first of these folders that can be written, or in memory. */
  constructor(folders: readonly string[] = []) {
    this.#folders = folders;
  }

  /**
   * Claims files for a torrent, in place of what it held. Throws DAEMON_FILE_IN_USE when another
   * torrent writes one of them, or works with one that is to be written; then nothing is claimed.
   */
  take(
    torrent: { readonly key: string; readonly name: string },
    files: ReadonlyMap<string, FileUse>,
  ): void {
    const { key, name } = torrent;
    this.release(key);
    const { table } = this.#registry();
    const realPath = realPaths();
    table.transaction(() => {
      const living = new Map<string, boolean>();
      for (const [path, use] of files) {
        const real = realPath(path);
        for (const other of this.#others(real, use)) {
          const isAlive = living.get(other.owner) ?? this.#isAlive(other.owner);
          living.set(other.owner, isAlive);
          if (isAlive) throw inUse(path, other);
        }
        const sql = 'INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?)';
        table.run(sql, real, this.#owner, key, name, use === 'write' ? 1 : 0);
      }
    });
  }

  /** The torrent is complete: it writes no more. */
  settle(key: string): void {
    this.#change('UPDATE claim SET isWritten = 0 WHERE owner = ? AND torrent = ?', key);
  }

  /** The torrent lets go of its files. */
  release(key: string): void {
    this.#change('DELETE FROM claim WHERE owner = ? AND torrent = ?', key);
  }

  /** Lets go of everything. */
  close(): void {
    const { table, folder, lock } = this.#opened ?? {};
    this.#opened = null;
    lock?.close();
    if (folder) removeLock(lockOf(folder, this.#owner));
    table?.close();
  }

  /** Who makes this use of a file impossible, if it is alive. */
  #others(realPath: string, use: FileUse): readonly Row[] {
    const sql = 'SELECT owner, name, isWritten FROM claim WHERE path = ? AND (isWritten = 1 OR ?)';
    return this.#registry().table.all<Row>(sql, realPath, use === 'write' ? 1 : 0);
  }

  /** Whether it still runs; what the dead have left is removed. Inside a transaction. */
  #isAlive(owner: string): boolean {
    const { table, folder } = this.#registry();
    if (owner === this.#owner) return true;
    if (folder && isHeld(lockOf(folder, owner))) return true;
    table.run('DELETE FROM claim WHERE owner = ?', owner);
    if (folder) removeLock(lockOf(folder, owner));
    return false;
  }

  /** A claim that cannot be taken back ends with this process: nothing else suffers. */
  #change(sql: string, key: string): void {
    try {
      this.#opened?.table.run(sql, this.#owner, key);
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
    }
  }

  /** Opened when it is needed: a node that does nothing has no claims. */
  #registry(): Registry {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  #open(): Registry {
    for (const folder of this.#folders) {
      try {
        return this.#openIn(folder);
      } catch (failure) {
        // This folder cannot be used; the next one may. Of one that others use we must know.
        if (failure instanceof AppError && failure.code === 'DATABASE_LOCKED') throw failure;
      }
    }
    return { table: openTable(':memory:'), folder: null, lock: null };
  }

  #openIn(folder: string): Registry {
    const table = openTable(join(folder, 'files.sqlite'));
    try {
      // One at a time: nobody takes a lock that is just being made for one that was left.
      return table.transaction(() => {
        const lock = openLock(lockOf(folder, this.#owner));
        this.#opened = { table, folder, lock };
        for (const name of readdirSync(folder)) {
          if (name.endsWith(LOCK_SUFFIX)) this.#isAlive(name.slice(0, -LOCK_SUFFIX.length));
        }
        return this.#opened;
      });
    } catch (failure) {
      this.close();
      table.close();
      throw failure;
    }
  }
}

function openTable(path: string): Database {
  return Database.open({ path, migrations: [TABLE], isExclusive: false, isDurable: false });
}

function lockOf(folder: string, owner: string): string {
  return join(folder, owner + LOCK_SUFFIX);
}

/** Node has no file locks of its own; SQLite's are the system's, so no stale one can remain. */
function openLock(path: string): Database {
  return Database.open({ path, migrations: [], lockTimeoutMs: 0 });
}

function isHeld(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    openLock(path).close();
    return false;
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return failure.code === 'DATABASE_LOCKED';
  }
}

function removeLock(path: string): void {
  for (const suffix of ['', '-wal']) rmSync(path + suffix, { force: true });
}

function inUse(path: string, { owner, name, isWritten }: Row): DaemonError {
  const pid = Number.parseInt(owner, 10);
  const who = pid === process.pid ? name : `${name} in another node (process ${pid})`;
  const advice = isWritten
    ? `${who}, which is downloading it: add this torrent again when that is complete`
    : `${who}, and this torrent would write other data there: choose another folder`;
  return new DaemonError('DAEMON_FILE_IN_USE', `${path} belongs to ${advice}`, { path });
}
