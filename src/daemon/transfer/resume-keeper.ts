/** Where one torrent's resume record comes from and goes to. */
import { join } from 'node:path';
import {
  dropResume,
  loadResume,
  makeResume,
  type ResumeRecord,
  type ResumeTarget,
  saveResume,
} from '../../platform/disk/index.ts';
import type { Bitfield } from '../../units/index.ts';
import type { TorrentNews, TorrentSpec } from './messages.ts';

/**
 * A resume record is refreshed when pieces come in and the last one is so old: a little later for
 * each file, all of which are looked at, but sooner than a record's trust in newer files ends.
 */
const EVERY_MS = 5_000;
const EVERY_MS_PER_FILE = 5;
const EVERY_MS_MAX = 20_000;

/** Reads and writes the record of one torrent. Writes that fail cost a check, nothing more. */
export interface ResumeKeeper {
  load(): Promise<ResumeRecord | null>;
  /** Null forgets the record. */
  save(record: ResumeRecord | null): Promise<void>;
}

/**
 * The keeper a torrent's spec asks for: the session that gave the record hears of new ones; a
 * command without a session keeps them in `resumeDir`; null keeps none.
 */
export function keeperFor(
  spec: TorrentSpec,
  where: {
    readonly key: string;
    readonly resumeDir: string | null;
    readonly tell: (news: TorrentNews) => void;
  },
): ResumeKeeper | null {
  const { key, resumeDir, tell } = where;
  if (spec.resume !== undefined) {
    let last = spec.resume;
    return {
      load: () => Promise.resolve(last),
      save: async (record) => {
        last = record;
        tell({ kind: 'resume', record });
      },
    };
  }
  if (resumeDir === null) return null;
  const file = join(resumeDir, `${key}.json`);
  return {
    load: () => loadResume(file),
    save: (record) => (record ? saveResume(file, record) : dropResume(file)),
  };
}

/** Writes records one after another: one begun earlier must not replace a later one. */
export class ResumeWriter {
  readonly #keeper: ResumeKeeper | null;
  #last: Promise<void> = Promise.resolve();
  #savedAt = -Infinity;

  constructor(keeper: ResumeKeeper | null) {
    this.#keeper = keeper;
  }

  /** Whether the last record of any pieces is old enough for a new one. */
  isDue(fileCount: number): boolean {
    const everyMs = Math.min(EVERY_MS + EVERY_MS_PER_FILE * fileCount, EVERY_MS_MAX);
    return performance.now() - this.#savedAt > everyMs;
  }

  /** Resolves when the records asked for so far are written. */
  get settled(): Promise<void> {
    return this.#last;
  }

  /** Records `have` after the records before it; one without pieces is forgotten. */
  save(target: ResumeTarget, have: Bitfield, isWriting: boolean): void {
    const keeper = this.#keeper;
    if (!keeper) return;
    // The first piece makes a record at once.
    if (have.count > 0) this.#savedAt = performance.now();
    this.#last = this.#last.then(async () => {
      const record = have.count === 0 ? null : await makeResume(target, have, isWriting);
      await keeper.save(record).catch(() => {});
    });
  }
}
