/** Resume records as files, one per torrent: for commands that share no database. */
import fs from 'node:fs/promises';
import type { ResumeRecord } from './resume-record.ts';
import { type WriteTerms, writeWhole } from './write-whole.ts';

/**
 * Writes the record whole or not at all. `isDurable` waits for the disk: only then may something
 * be deleted on the strength of it.
 */
export async function saveResume(
  file: string,
  record: ResumeRecord,
  terms: WriteTerms = {},
): Promise<void> {
  await writeWhole(file, JSON.stringify(record), terms);
}

/** The record, unchecked; null when there is none that can be read. */
export async function loadResume(file: string): Promise<ResumeRecord | null> {
  const text = await fs.readFile(file, 'utf8').catch(() => null);
  return text === null ? null : parseResume(text);
}

/** A record from its JSON; null when it is torn. `piecesOf` checks what it says. */
export function parseResume(text: string): ResumeRecord | null {
  try {
    const record: unknown = JSON.parse(text);
    return typeof record === 'object' ? (record as ResumeRecord | null) : null;
  } catch {
    return null;
  }
}

/** Forgets the record. */
export async function dropResume(file: string): Promise<void> {
  await fs.rm(file, { force: true });
}
