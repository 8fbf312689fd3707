/** Copies a file so that it is there whole, on the disk and compared, or not at all. */
import fs from 'node:fs/promises';
import { isSameFile } from './look-at.ts';

/** Read at a time: large runs, and a stop is heeded between them. */
const RUN_BYTES = 4 * 1024 * 1024;

/**
 * Copies `from` to `to`, which must not exist. Holes stay holes; the time of the last change is
 * kept. Throws the system's error, EEXIST, or the signal's reason.
 */
export async function copyFile(from: string, to: string, signal?: AbortSignal): Promise<void> {
  // A copy that a kill left behind is written over by the next.
  const temporary = `${to}.bidwidth-copy`;
  try {
    await writeCopy(from, temporary, signal);
    if (!(await isSameContent(from, temporary, signal))) {
      throw new Error('the copy is not what was written: the disk may be failing');
    }
    await place(temporary, to);
  } catch (failure) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw failure;
  }
}

/** Whether both are regular files with the same bytes; links to files are followed. */
export async function isSameContent(a: string, b: string, signal?: AbortSignal): Promise<boolean> {
  const [left, right] = await Promise.all([
    fs.stat(a).catch(() => null),
    fs.stat(b).catch(() => null),
  ]);
  if (!left?.isFile() || !right?.isFile() || left.size !== right.size) return false;
  if (isSameFile(left, right)) return true;
  const [from, to] = [await fs.open(a, 'r'), await fs.open(b, 'r')];
  const [mine, other] = [Buffer.alloc(RUN_BYTES), Buffer.alloc(RUN_BYTES)];
  try {
    for (let at = 0; at < left.size; at += RUN_BYTES) {
      signal?.throwIfAborted();
      const length = Math.min(RUN_BYTES, left.size - at);
      await Promise.all([
        readWhole(from, mine, { at, length }),
        readWhole(to, other, { at, length }),
      ]);
      if (mine.compare(other, 0, length, 0, length) !== 0) return false;
    }
    return true;
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
}

async function writeCopy(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const source = await fs.open(from, 'r');
  try {
    const { size, mode, atime, mtime } = await source.stat();
    const target = await fs.open(to, 'w', mode);
    try {
      const run = Buffer.alloc(RUN_BYTES);
      for (let at = 0; at < size; at += RUN_BYTES) {
        signal?.throwIfAborted();
        const length = Math.min(RUN_BYTES, size - at);
        await readWhole(source, run, { at, length });
        if (!isZeros(run.subarray(0, length))) await writeWhole(target, run, { at, length });
      }
      await target.truncate(size);
      await target.utimes(atime, mtime);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface Run {
  /** In the file. */
  readonly at: number;
  readonly length: number;
}

/** Throws when the file is shorter. */
async function readWhole(file: fs.FileHandle, into: Buffer, { at, length }: Run): Promise<void> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(into, done, length - done, at + done);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    done += bytesRead;
  }
}

async function writeWhole(file: fs.FileHandle, from: Buffer, { at, length }: Run): Promise<void> {
  for (let done = 0; done < length; ) {
    done += (await file.write(from, done, length - done, at + done)).bytesWritten;
  }
}

function isZeros(view: Buffer): boolean {
  return view[0] === 0 && view.compare(view, 1, view.length, 0, view.length - 1) === 0;
}

/** Gives the copy its name; a file that has it meanwhile is not replaced. */
async function place(temporary: string, to: string): Promise<void> {
  try {
    await fs.link(temporary, to);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'EEXIST') throw failure;
    // Without hard links: whoever makes a file of this name in this moment loses it.
    await fs.rename(temporary, to);
    return;
  }
  await fs.unlink(temporary);
}
