/** Takes the room of files before their bytes come. */
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatSize } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout, LayoutFile } from './file-layout.ts';
import { lookAt, nearestFolder } from './look-at.ts';

/**
 * `none`: files grow as pieces are written. `sparse`: they have their length from the start, with
 * holes. `full`: they have their room, too, as far as the file system keeps zeros as they are.
 */
export type Allocation = 'none' | 'sparse' | 'full';

/** What is allocated, and for what. */
export interface AllocationTask {
  readonly layout: FileLayout;
  readonly pieceLengthBytes: number;
  /** Whether a file is wanted, counted without padding. */
  readonly isWanted: (file: number) => boolean;
  /** Whether a piece is on disk and right: its bytes are not touched. */
  readonly isHere: (piece: number) => boolean;
  /** Called after every run of zeros. */
  readonly onProgress?: (doneBytes: number, allBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Zeros written at a time. Node has no fallocate: what takes room must be written. */
const RUN_BYTES = 4 * 1024 * 1024;
const ZEROS = new Uint8Array(RUN_BYTES);

/** Allocates wanted files. Throws PLATFORM_DISK_FULL before anything is written. */
export async function allocateFiles(how: Allocation, task: AllocationTask): Promise<void> {
  if (how === 'none') return;
  const files = await unallocated(how, task);
  if (how === 'full') await checkRoom(files, task.layout.root);
  const allBytes = files.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  let doneBytes = 0;
  for (const file of files) {
    const path = task.layout.pathOf(file);
    try {
      await fs.mkdir(dirname(path), { recursive: true });
      const handle = await fs.open(path, (await lookAt(path)) ? 'r+' : 'w+');
      try {
        await setLength(handle, file.lengthBytes);
        if (how === 'full') {
          await fill(handle, file, task, (bytes) => {
            doneBytes += bytes;
            task.onProgress?.(doneBytes, allBytes);
          });
        }
      } finally {
        await handle.close();
      }
    } catch (failure) {
      if ((failure as Error).name === 'AbortError') throw failure;
      throw diskFailure(failure as NodeJS.ErrnoException, path);
    }
  }
}

interface Unallocated extends LayoutFile {
  readonly missingBytes: number;
}

/** Wanted files that are too short or, for `full`, take less room than they are long. */
async function unallocated(how: Allocation, task: AllocationTask): Promise<Unallocated[]> {
  const found: Unallocated[] = [];
  for (const [nth, file] of task.layout.files.filter(({ isPad }) => !isPad).entries()) {
    if (!task.isWanted(nth) || file.lengthBytes === 0) continue;
    const stat = await fs.stat(task.layout.pathOf(file)).catch(() => null);
    const room = how === 'full' ? (stat?.blocks ?? 0) * 512 : (stat?.size ?? 0);
    const missingBytes = file.lengthBytes - room;
    if (missingBytes > 0) found.push({ ...file, missingBytes });
  }
  return found;
}

async function checkRoom(files: readonly Unallocated[], root: string): Promise<void> {
  const needed = files.reduce((sum, { missingBytes }) => sum + missingBytes, 0);
  const { bavail, bsize } = await fs.statfs(await nearestFolder(`${root}/x`));
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new PlatformError(
    'PLATFORM_DISK_FULL',
    `${root} has room for ${formatSize(free)}, ${formatSize(needed)} are needed: free some space`,
    { path: root, code: 'ENOSPC' },
  );
}

/** Never makes a file shorter. */
async function setLength(handle: fs.FileHandle, lengthBytes: number): Promise<void> {
  if ((await handle.stat()).size < lengthBytes) await handle.truncate(lengthBytes);
}

/** Writes zeros where pieces are missing: what is there of those is of no use. */
async function fill(
  handle: fs.FileHandle,
  { offsetBytes, lengthBytes }: LayoutFile,
  { pieceLengthBytes, isHere, signal }: AllocationTask,
  onDone: (bytes: number) => void,
): Promise<void> {
  for (let at = 0; at < lengthBytes; ) {
    signal?.throwIfAborted();
    const last = Math.min(lengthBytes, at + RUN_BYTES);
    const isKept = isHere(Math.floor((offsetBytes + at) / pieceLengthBytes));
    let end = at;
    while (end < last) {
      const piece = Math.floor((offsetBytes + end) / pieceLengthBytes);
      if (isHere(piece) !== isKept) break;
      end = Math.min(last, (piece + 1) * pieceLengthBytes - offsetBytes);
    }
    for (let done = isKept ? end : at; done < end; ) {
      done += (await handle.write(ZEROS, 0, end - done, done)).bytesWritten;
    }
    onDone(end - at);
    at = end;
  }
}
