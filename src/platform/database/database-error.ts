/** What can go wrong with a database file, in plain words. */
import { AppError } from '../../units/index.ts';

/** Codes of `DatabaseError`. */
export type DatabaseErrorCode =
  | 'DATABASE_LOCKED'
  | 'DATABASE_FULL'
  | 'DATABASE_CORRUPT'
  | 'DATABASE_NEWER'
  | 'DATABASE_FAILED';

/** A database could not be opened or written. What was not yet acknowledged was not done. */
export class DatabaseError extends AppError<DatabaseErrorCode> {
  override readonly name = 'DatabaseError';
}

/** SQLite's primary result codes that a user can do something about. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Puts an error thrown by `node:sqlite` into plain words; anything else is returned as it is. */
export function explainSqliteError(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || !('errcode' in cause)) return cause;
  const [code, text] = explain(Number(cause.errcode) & 0xff, cause.message);
  return new DatabaseError(code, `${path}: ${text}`, { path }, { cause });
}

function explain(result: number, message: string): [DatabaseErrorCode, string] {
  switch (result) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ['DATABASE_LOCKED', 'another process is using it; stop that one first'];
    case SQLITE_FULL:
      return ['DATABASE_FULL', 'the disk is full; free some space and start again'];
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ['DATABASE_CORRUPT', 'the file is damaged or not a database; restore a copy'];
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ['DATABASE_FAILED', 'cannot be opened for writing; check the folder and its rights'];
  }
  return ['DATABASE_FAILED', message];
}
