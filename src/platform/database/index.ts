/** Durable storage on `node:sqlite`. Start with `database.ts`. */
export { Database, type DatabaseOptions, type SqlRow, type SqlValue } from './database.ts';
export { DatabaseError, type DatabaseErrorCode } from './database-error.ts';
export { GroupCommit, type OnDurable } from './group-commit.ts';
