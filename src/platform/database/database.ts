/**
 * A thin wrapper of `node:sqlite`: durable by default, migrated on opening, errors in plain words.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DatabaseError, explainSqliteError } from './database-error.ts';

/** A value SQLite can keep. Money goes in as decimal text (`TEXT`), never as a number. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One row, by column name: whole numbers come back as `number`, blobs as `Uint8Array`. */
export type SqlRow = object;

/** How to open a database. */
export interface DatabaseOptions {
  /** The file, or `:memory:`. Missing folders are made. */
  readonly path: string;
  /** Steps from an empty file to today's tables, in order. Never change one that was released. */
  readonly migrations: readonly string[];
  /** Keep every other process out while open. Default true: one node per data folder. */
  readonly isExclusive?: boolean;
  /** Every commit waits for the disk. Default true; without it the last ones can be lost. */
  readonly isDurable?: boolean;
  /** How long to wait for another process that is about to close it. Default 2,000 ms. */
  readonly lockTimeoutMs?: number;
}

/**
 * An open database. Every committed write has reached the disk (WAL, `synchronous=FULL`) unless it
 * need not be durable.
 */
export class Database {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #isInTransaction = false;

  private constructor(path: string, sqlite: DatabaseSync) {
    this.path = path;
    this.#sqlite = sqlite;
  }

  /** Opens, locks and migrates. Throws `DatabaseError`. */
  static open(options: DatabaseOptions): Database {
    const { path, isExclusive = true, isDurable = true, lockTimeoutMs = 2_000 } = options;
    try {
      const isNew = path !== ':memory:' && !existsSync(path);
      if (isNew) mkdirSync(dirname(path), { recursive: true });
      const sqlite = new DatabaseSync(path, { timeout: lockTimeoutMs });
      const database = new Database(path, sqlite);
      try {
        // The locking mode must be set before WAL begins: then not even a shared-memory file is
        // made.
        if (isExclusive) sqlite.exec('PRAGMA locking_mode = EXCLUSIVE');
        sqlite.exec('PRAGMA journal_mode = WAL');
        sqlite.exec(`PRAGMA synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`);
        database.#migrate(options.migrations);
      } catch (error) {
        sqlite.close();
        throw error;
      }
      if (isNew) chmodSync(path, 0o600);
      return database;
    } catch (error) {
      throw explainSqliteError(error, path);
    }
  }

  /** Runs a statement that returns no rows; the number of rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes));
  }

  /** The first row, or null. `Row` names the columns that `sql` selects; nothing checks it. */
  get<Row extends SqlRow>(sql: string, ...values: SqlValue[]): Row | null {
    return this.#guard(() => (this.#statement(sql).get(...values) as Row | undefined) ?? null);
  }

  /** All rows. `Row` as in `get`. */
  all<Row extends SqlRow>(sql: string, ...values: SqlValue[]): readonly Row[] {
    return this.#guard(() => this.#statement(sql).all(...values) as unknown as readonly Row[]);
  }

  /** Does all of `work` or nothing. On return it is on the disk. Inner calls join the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#isInTransaction) return work();
    return this.#guard(() => {
      this.#sqlite.exec('BEGIN IMMEDIATE');
      this.#isInTransaction = true;
      try {
        const result = work();
        this.#sqlite.exec('COMMIT');
        return result;
      } catch (error) {
        // After a full disk SQLite has rolled back by itself.
        if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
        throw error;
      } finally {
        this.#isInTransaction = false;
      }
    });
  }

  /** Closes the file. Calling it again does nothing. */
  close(): void {
    this.#statements.clear();
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  #migrate(migrations: readonly string[]): void {
    // Taking the write lock even with nothing to do finds out now who else has it open.
    this.transaction(() => {
      const version = this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
      if (version > migrations.length) {
        throw new DatabaseError(
          'DATABASE_NEWER',
          `${this.path}: written by a newer version of bidwidth; update this one`,
          { version, known: migrations.length },
        );
      }
      for (const step of migrations.slice(version)) this.#sqlite.exec(step);
      this.#sqlite.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainSqliteError(error, this.path);
    }
  }
}
