/**
 * What is known to be right on disk, as a plain value to be kept over restarts. It is believed
 * only while the files are as they were when it was made; otherwise everything is hashed again.
 */
import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bitfield } from '../../units/index.ts';
import type { FileName } from '../../wire/index.ts';
import type { FileLayout } from './file-layout.ts';
import { isLink } from './links.ts';

/** The form; a record of another version is ignored and the files are checked. */
const VERSION = 1;

/** Length and modification time of each file; null when it does not exist. */
type Stamps = readonly (readonly [number, number] | null)[];

/** Times of files are at least this exact on the file systems we know. */
const STAMP_GRAIN_MS = 20;

/**
 * A record made while pieces came in is believed although files are newer, by so much: the next
 * record would have followed by then, so later changes are not ours.
 */
const WRITING_MS = 30_000;

/** Safe to store as JSON and to send to another thread. */
export interface ResumeRecord {
  readonly version: number;
  readonly infoHash: string;
  readonly root: string;
  readonly pieceCount: number;
  /** Base64 of the bitfield. */
  readonly pieces: string;
  readonly files: Stamps;
  /** Names in place of the torrent's own; left out for none. */
  readonly names?: readonly FileName[];
  /** Made while pieces came in: when (Unix ms), and in which run of the machine. */
  readonly writing?: { readonly at: number; readonly boot: string };
}

/** Which torrent a record is for. */
export interface ResumeTarget {
  /** Lower-case hex. */
  readonly infoHash: string;
  readonly layout: FileLayout;
  readonly pieceCount: number;
  /** Names in place of the torrent's own, as far as `layout` has such. */
  readonly names?: readonly FileName[];
}

/** Makes a record of `have`. `isWriting` while more pieces may be written right after. */
export async function makeResume(
  target: ResumeTarget,
  have: Bitfield,
  isWriting: boolean,
): Promise<ResumeRecord> {
  const { infoHash, layout, pieceCount, names = [] } = target;
  // What is copied here was on disk before; pieces that come while stamps are taken are left out.
  const pieces = Buffer.from(have.toBytes()).toString('base64');
  const at = Date.now();
  const files = await (isWriting ? stamps(layout) : settledStamps(layout));
  const named = names.length > 0 ? { names } : {};
  const { root } = layout;
  const record = { version: VERSION, infoHash, root, pieceCount, pieces, files, ...named };
  return isWriting ? { ...record, writing: { at, boot: bootId() } } : record;
}

/** The pieces a record speaks for; null when it is of something else or the files have changed. */
export async function piecesOf(
  record: ResumeRecord,
  target: ResumeTarget,
): Promise<Bitfield | null> {
  const isSame =
    record.version === VERSION &&
    record.infoHash === target.infoHash &&
    record.root === target.layout.root &&
    record.pieceCount === target.pieceCount &&
    JSON.stringify(record.names ?? []) === JSON.stringify(target.names ?? []) &&
    typeof record.pieces === 'string' &&
    Array.isArray(record.files) &&
    isAsItWas(record, await stamps(target.layout));
  if (!isSame) return null;
  const bytes = new Uint8Array(Buffer.from(record.pieces, 'base64'));
  return Bitfield.fromBytes(bytes, target.pieceCount);
}

/**
 * Whether each piece of `have` has its files on disk. With a part file, which may hold what is
 * missing, it is taken to be so.
 */
export async function isBackedByFiles(
  have: Bitfield,
  layout: FileLayout,
  pieceLengthBytes: number,
): Promise<boolean> {
  const now = await stamps(layout);
  const files = layout.files.filter(({ isPad }) => !isPad);
  if (now[files.length]) return true;
  return files.every(({ offsetBytes, lengthBytes }, nth) => {
    const first = Math.floor(offsetBytes / pieceLengthBytes);
    const end = Math.ceil((offsetBytes + lengthBytes) / pieceLengthBytes);
    for (let piece = first; piece < end && !now[nth] && lengthBytes > 0; piece++) {
      if (have.has(piece)) return false;
    }
    return true;
  });
}

/** Whether any file of the torrent is on disk: without one there is nothing to check. */
export async function hasAnyFile(layout: FileLayout): Promise<boolean> {
  return (await stamps(layout)).some((stamp) => stamp !== null && stamp[0] > 0);
}

/**
 * A killed process has left files that are newer than its last record, but only a little, and
 * never shorter. After a crash of the machine written pieces may be missing: those are hashed.
 */
function isAsItWas({ files, writing }: ResumeRecord, now: Stamps): boolean {
  if (!writing) return JSON.stringify(files) === JSON.stringify(now);
  if (writing.boot !== bootId() || files.length !== now.length) return false;
  return now.every((is, nth) => {
    const was = files[nth] ?? null;
    if (!is) return was === null;
    const [size, changedAt] = was ?? [0, 0];
    return is[0] >= size && is[1] >= changedAt && is[1] <= writing.at + WRITING_MS;
  });
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
    // Of a link nothing is known: what it leads to is a file of the torrent, too.
    const stat = isLink(file) ? null : await fs.stat(layout.pathOf(file)).catch(() => null);
    found.push(stat ? [stat.size, stat.mtimeMs] : null);
  }
  if (layout.partsPath !== null) {
    const stat = await fs.stat(layout.partsPath).catch(() => null);
    found.push(stat ? [stat.size, stat.mtimeMs] : null);
  }
  return found;
}

let boot: string | null = null;

/** Names this run of the machine; where the system does not tell, each process is its own run. */
function bootId(): string {
  if (boot !== null) return boot;
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    boot = `process ${process.pid} of ${Date.now()}`;
  }
  return boot;
}
