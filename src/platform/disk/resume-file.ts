/**
 * What is known to be right on disk, kept over restarts. It is believed only while the files are
 * exactly as they were when it was written; otherwise everything is hashed again.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bitfield } from '../../units/index.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout } from './file-layout.ts';

/** The form on disk; another version is ignored and the files are checked. */
const VERSION = 1;

/** Length and modification time of each file; null when it does not exist. */
type Stamps = readonly (readonly [number, number] | null)[];

/** Times of files are at least this exact on the file systems we know. */
const STAMP_GRAIN_MS = 20;

interface ResumeRecord {
  readonly version: number;
  readonly infoHash: string;
  readonly root: string;
  readonly pieceCount: number;
  /** Base64 of the bitfield. */
  readonly pieces: string;
  readonly files: Stamps;
}

/** Which torrent a record is for. */
export interface ResumeTarget {
  /** Where the record is. */
  readonly file: string;
  /** Lower-case hex. */
  readonly infoHash: string;
  readonly layout: FileLayout;
  readonly pieceCount: number;
}

/** Writes the record whole or not at all. The caller has let pending writes finish. */
export async function saveResume(target: ResumeTarget, have: Bitfield): Promise<void> {
  const record: ResumeRecord = {
    version: VERSION,
    infoHash: target.infoHash,
    root: target.layout.root,
    pieceCount: target.pieceCount,
    pieces: Buffer.from(have.toBytes()).toString('base64'),
    files: await settledStamps(target.layout),
  };
  const temporary = `${target.file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await fs.mkdir(dirname(target.file), { recursive: true });
    await fs.writeFile(temporary, JSON.stringify(record));
    await fs.rename(temporary, target.file);
  } catch (failure) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw diskFailure(failure as NodeJS.ErrnoException, target.file);
  }
}

/** The pieces known to be right, or null when there is no record or anything has changed. */
export async function loadResume(target: ResumeTarget): Promise<Bitfield | null> {
  const text = await fs.readFile(target.file, 'utf8').catch(() => null);
  if (text === null) return null;
  const record = parse(text);
  const isSame =
    record?.version === VERSION &&
    record.infoHash === target.infoHash &&
    record.root === target.layout.root &&
    record.pieceCount === target.pieceCount &&
    JSON.stringify(record.files) === JSON.stringify(await stamps(target.layout));
  if (!record || !isSame || typeof record.pieces !== 'string') return null;
  return Bitfield.fromBytes(
    new Uint8Array(Buffer.from(record.pieces, 'base64')),
    target.pieceCount,
  );
}

/** Forgets the record. */
export async function dropResume(target: ResumeTarget): Promise<void> {
  await fs.rm(target.file, { force: true });
}

/** Whether any file of the torrent is on disk: without one there is nothing to check. */
export async function hasAnyFile(layout: FileLayout): Promise<boolean> {
  return (await stamps(layout)).some((stamp) => stamp !== null && stamp[0] > 0);
}

function parse(text: string): ResumeRecord | null {
  try {
    return JSON.parse(text) as ResumeRecord;
  } catch {
    return null;
  }
}

/**
 * Stamps that a later change cannot repeat: file systems tell times apart only every few ms, so a
 * file written just now could be changed without a trace (git calls such an entry racy).
 */
async function settledStamps(layout: FileLayout): Promise<Stamps> {
  const found = await stamps(layout);
  const newest = Math.max(0, ...found.map((stamp) => stamp?.[1] ?? 0));
  if (Date.now() - newest >= STAMP_GRAIN_MS) return found;
  await sleep(STAMP_GRAIN_MS);
  return stamps(layout);
}

async function stamps(layout: FileLayout): Promise<Stamps> {
  const found: (readonly [number, number] | null)[] = [];
  for (const file of layout.files) {
    if (file.isPad) continue;
    const stat = await fs.stat(layout.pathOf(file)).catch(() => null);
    found.push(stat ? [stat.size, stat.mtimeMs] : null);
  }
  return found;
}
