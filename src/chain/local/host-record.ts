/**
 * Who hosts the embedded chain of a folder, and where it can be reached: a lock and a small file.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What the host tells the other processes of the machine. */
export interface HostRecord {
  readonly rpcUrl: string;
  readonly rpcPort: number;
  readonly hostPid: number;
  readonly anvilPid: number;
  readonly anvilPort: number;
}

/** Held while hosting. The system lets go of it when the process ends, even by `kill -9`. */
export interface HostLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Takes the folder's lock; null when another process hosts. */
export function tryHostLock(folder: string): HostLock | null {
  // Node has no file locks of its own. SQLite's are the system's, so no stale lock can remain.
  const file = new DatabaseSync(join(folder, 'host.lock'), { timeout: 0 });
  try {
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
    if (isBusy) return null;
    throw error;
  }
  return { release: () => file.close() };
}

/** The last host's record, perhaps of one long gone; null when there is none to be read. */
export function readHostRecord(folder: string): HostRecord | null {
  try {
    const record: unknown = JSON.parse(readFileSync(recordPath(folder), 'utf8'));
    return isHostRecord(record) ? record : null;
  } catch {
    // None yet, or torn: either way there is nobody to be found by it.
    return null;
  }
}

/** Replaces the record. */
export function writeHostRecord(folder: string, record: HostRecord): void {
  const path = recordPath(folder);
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

/** Forgets the processes, keeping the port so that the next host can take the same one. */
export function retireHostRecord(folder: string, record: HostRecord): void {
  writeHostRecord(folder, { ...record, hostPid: 0, anvilPid: 0 });
}

function recordPath(folder: string): string {
  return join(folder, 'host.json');
}

function isHostRecord(record: unknown): record is HostRecord {
  if (typeof record !== 'object' || record === null) return false;
  const { rpcUrl, rpcPort, hostPid, anvilPid, anvilPort } = record as Record<string, unknown>;
  return (
    typeof rpcUrl === 'string' &&
    [rpcPort, hostPid, anvilPid, anvilPort].every((value) => Number.isSafeInteger(value))
  );
}
