/**
 * The session on disk: one SQLite file with every torrent's record, source and resume record.
 * Changes are gathered and written together about once a second: a killed process loses no more.
 */

import { Database } from '../../platform/database/index.ts';
import { parseResume, type ResumeRecord } from '../../platform/disk/index.ts';
import { type UnixSeconds, unixSeconds } from '../../units/index.ts';
import type { SeedingLimits } from '../policy/index.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { SessionClock } from './session-clock.ts';
import type { TorrentRecord } from './session-torrent.ts';
import { readPeers, readPriorities, readTiers } from './stored-json.ts';

/** How long changes are gathered. */
const GATHER_MS = 1_000;

/** Steps from an empty file to today's tables. Never change one that was released; append. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE torrent (
    key TEXT PRIMARY KEY,
    name TEXT,
    root TEXT NOT NULL,
    position REAL NOT NULL,
    is_paused INTEGER NOT NULL,
    is_complete INTEGER NOT NULL,
    failure TEXT,
    total_bytes INTEGER NOT NULL,
    have_bytes INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    completed_at INTEGER,
    trackers TEXT NOT NULL,
    is_private INTEGER NOT NULL,
    peers TEXT NOT NULL,
    file_priorities TEXT,
    is_sequential INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Apart from the records: reading all records at the start must not pass over these.
  CREATE TABLE source (key TEXT PRIMARY KEY, metainfo BLOB, magnet TEXT) STRICT;
  CREATE TABLE resume (key TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE torrent ADD COLUMN seeding TEXT;
  ALTER TABLE torrent ADD COLUMN seeding_end TEXT;
  ALTER TABLE torrent ADD COLUMN seed_seconds REAL NOT NULL DEFAULT 0;
  ALTER TABLE torrent ADD COLUMN seeding_since REAL;
  ALTER TABLE torrent ADD COLUMN sent_at REAL;
  CREATE TABLE clock (only INTEGER PRIMARY KEY, open_seconds REAL NOT NULL) STRICT;
  `,
  `
  ALTER TABLE torrent ADD COLUMN upload_limit REAL;
  ALTER TABLE torrent ADD COLUMN download_limit REAL;
  `,
  `
  ALTER TABLE torrent ADD COLUMN move_to TEXT;
  ALTER TABLE torrent ADD COLUMN moving TEXT;
  `,
  `
  ALTER TABLE torrent ADD COLUMN names TEXT NOT NULL DEFAULT '[]';
  `,
  `
  ALTER TABLE torrent ADD COLUMN other_name TEXT;
  `,
];

interface Row {
  readonly key: string;
  readonly name: string | null;
  readonly root: string;
  readonly position: number;
  readonly is_paused: number;
  readonly is_complete: number;
  readonly failure: string | null;
  readonly total_bytes: number;
  readonly have_bytes: number;
  readonly received_bytes: number;
  readonly sent_bytes: number;
  readonly added_at: number;
  readonly completed_at: number | null;
  readonly trackers: string;
  readonly is_private: number;
  readonly peers: string;
  readonly file_priorities: string | null;
  readonly is_sequential: number;
  readonly seeding: string | null;
  readonly seeding_end: string | null;
  readonly seed_seconds: number;
  readonly seeding_since: number | null;
  readonly sent_at: number | null;
  readonly upload_limit: number | null;
  readonly download_limit: number | null;
  readonly move_to: string | null;
  readonly moving: string | null;
  readonly names: string;
  readonly other_name: string | null;
}

/** What is not on the disk yet; absent parts did not change. */
interface Pending {
  record?: TorrentRecord;
  source?: TorrentSource;
  resume?: ResumeRecord | null;
}

/** The store of one session. */
export class SessionStore {
  readonly #database: Database;
  readonly #onTrouble: (failure: Error) => void;
  /** Written with every change, and by `keepTime`. */
  readonly clock: SessionClock;
  /** By torrent; null: it was removed. */
  readonly #pending = new Map<string, Pending | null>();
  #timer: NodeJS.Timeout | null = null;

  /** Opens `path`; throws `DatabaseError`. `onTrouble` hears of writes that are tried again. */
  constructor(path: string, onTrouble: (failure: Error) => void) {
    this.#database = Database.open({ path, migrations: MIGRATIONS });
    this.#onTrouble = onTrouble;
    const row = this.#database.get<{ open_seconds: number }>('SELECT open_seconds FROM clock');
    this.clock = new SessionClock(row?.open_seconds ?? 0);
  }

  /** Every record, in the order of the queue. */
  load(): TorrentRecord[] {
    return this.#database.all<Row>('SELECT * FROM torrent ORDER BY position').map(recordOf);
  }

  /** The record changed; it is read when it is written. */
  put(record: TorrentRecord): void {
    this.#change(record.key).record = record;
  }

  putSource(key: string, source: TorrentSource): void {
    this.#change(key).source = source;
  }

  /** Null forgets the resume record. */
  putResume(key: string, record: ResumeRecord | null): void {
    this.#change(key).resume = record;
  }

  remove(key: string): void {
    this.#pending.set(key, null);
    this.#schedule();
  }

  /** What the torrent was added by, or what became known of it since. */
  source(key: string): TorrentSource | null {
    const pending = this.#pending.get(key);
    if (pending === null) return null;
    if (pending?.source) return pending.source;
    const row = this.#database.get<{ metainfo: Uint8Array | null; magnet: string | null }>(
      'SELECT metainfo, magnet FROM source WHERE key = ?',
      key,
    );
    if (row?.metainfo) return { kind: 'metainfo', bytes: row.metainfo };
    return row?.magnet ? { kind: 'magnet', text: row.magnet } : null;
  }

  resume(key: string): ResumeRecord | null {
    const pending = this.#pending.get(key);
    if (pending === null) return null;
    if (pending?.resume !== undefined) return pending.resume;
    const row = this.#database.get<{ record: string }>(
      'SELECT record FROM resume WHERE key = ?',
      key,
    );
    return row && parseResume(row.record);
  }

  /** Has the clock written within about a second. */
  keepTime(): void {
    this.#schedule();
  }

  /** Writes what was gathered, now. Throws `DatabaseError`; what is not written stays gathered. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const { seconds } = this.clock;
    this.#database.transaction(() => {
      this.#database.run('INSERT OR REPLACE INTO clock VALUES (1, ?)', seconds);
      for (const [key, pending] of this.#pending) {
        if (pending) this.#write(key, pending);
        else this.#erase(key);
      }
    });
    this.#pending.clear();
  }

  /** Writes and closes. */
  close(): void {
    this.flush();
    this.#database.close();
  }

  #change(key: string): Pending {
    const known = this.#pending.get(key);
    if (known) return known;
    // Removed and added again before it was written: nothing of the old one may stay.
    const fresh: Pending = known === null ? { resume: null } : {};
    this.#pending.set(key, fresh);
    this.#schedule();
    return fresh;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      try {
        this.flush();
      } catch (failure) {
        this.#onTrouble(failure as Error);
        this.#schedule();
      }
    }, GATHER_MS);
  }

  #write(key: string, { record, source, resume }: Pending): void {
    const database = this.#database;
    if (record) {
      const values = valuesOf(record);
      database.run(
        `INSERT OR REPLACE INTO torrent VALUES (${values.map(() => '?').join(', ')})`,
        ...values,
      );
    }
    if (source) {
      const [metainfo, magnet] = source.kind === 'metainfo' ? [source.bytes] : [null, source.text];
      database.run('INSERT OR REPLACE INTO source VALUES (?, ?, ?)', key, metainfo, magnet ?? null);
    }
    if (resume) {
      database.run('INSERT OR REPLACE INTO resume VALUES (?, ?)', key, JSON.stringify(resume));
    } else if (resume === null) {
      database.run('DELETE FROM resume WHERE key = ?', key);
    }
  }

  #erase(key: string): void {
    for (const table of ['torrent', 'source', 'resume']) {
      this.#database.run(`DELETE FROM ${table} WHERE key = ?`, key);
    }
  }
}

function recordOf(row: Row): TorrentRecord {
  const when = (seconds: number): UnixSeconds => unixSeconds(seconds);
  return {
    key: row.key,
    name: row.name,
    root: row.root,
    position: row.position,
    isPaused: row.is_paused !== 0,
    isComplete: row.is_complete !== 0,
    failure: row.failure,
    totalBytes: row.total_bytes,
    haveBytes: row.have_bytes,
    receivedBytes: row.received_bytes,
    sentBytes: row.sent_bytes,
    addedAt: when(row.added_at),
    completedAt: row.completed_at === null ? null : when(row.completed_at),
    trackers: readTiers(row.trackers),
    isPrivate: row.is_private !== 0,
    peers: readPeers(row.peers),
    filePriorities: readPriorities(row.file_priorities),
    isSequential: row.is_sequential !== 0,
    seeding: JSON.parse(row.seeding ?? 'null') as Partial<SeedingLimits> | null,
    seedingEnd: row.seeding_end,
    seedSeconds: row.seed_seconds,
    seedingSince: row.seeding_since,
    sentAt: row.sent_at,
    uploadLimit: row.upload_limit,
    downloadLimit: row.download_limit,
    moveTo: row.move_to,
    moving: JSON.parse(row.moving ?? 'null') as TorrentRecord['moving'],
    names: JSON.parse(row.names) as TorrentRecord['names'],
    otherName: row.other_name,
  };
}

/** In the order of the table's columns. */
function valuesOf(record: TorrentRecord): (string | number | null)[] {
  return [
    record.key,
    record.name,
    record.root,
    record.position,
    Number(record.isPaused),
    Number(record.isComplete),
    record.failure,
    record.totalBytes,
    record.haveBytes,
    record.receivedBytes,
    record.sentBytes,
    record.addedAt,
    record.completedAt,
    JSON.stringify(record.trackers),
    Number(record.isPrivate),
    JSON.stringify(record.peers),
    record.filePriorities && JSON.stringify(record.filePriorities),
    Number(record.isSequential),
    record.seeding && JSON.stringify(record.seeding),
    record.seedingEnd,
    record.seedSeconds,
    record.seedingSince,
    record.sentAt,
    record.uploadLimit,
    record.downloadLimit,
    record.moveTo,
    record.moving && JSON.stringify(record.moving),
    JSON.stringify(record.names),
    record.otherName,
  ];
}
