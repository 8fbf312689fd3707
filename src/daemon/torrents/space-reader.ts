/** Reads a torrent's piece space from files that must be there, whole. */
import fs from 'node:fs/promises';
import type { FileLayout } from '../../platform/disk/index.ts';
import { explain, unreadable } from '../torrent-source.ts';

/** Reads in order, with one file open at a time. One `read` at a time. */
export class SpaceReader {
  readonly #layout: Pick<FileLayout, 'segments'>;
  #path: string | null = null;
  #file: fs.FileHandle | null = null;

  constructor(layout: Pick<FileLayout, 'segments'>) {
    this.#layout = layout;
  }

  /** Fills `into` from `offset`; padding is zeros. Throws DAEMON_FILE_UNREADABLE. */
  async read(offset: number, into: Uint8Array): Promise<void> {
    for (const { path, position, start, length } of this.#layout.segments(offset, into.length)) {
      const part = into.subarray(start, start + length);
      if (path === null) part.fill(0);
      else await this.#fill(path, position, part);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    this.#path = null;
  }

  async #fill(path: string, position: number, part: Uint8Array): Promise<void> {
    try {
      const file = await this.#open(path);
      for (let done = 0; done < part.length; ) {
        const left = part.length - done;
        const { bytesRead } = await file.read(part, done, left, position + done);
        if (bytesRead === 0) throw new Error('it became shorter while it was read');
        done += bytesRead;
      }
    } catch (failure) {
      throw unreadable(path, explain(failure), failure);
    }
  }

  async #open(path: string): Promise<fs.FileHandle> {
    if (this.#file && this.#path === path) return this.#file;
    await this.close();
    const file = await fs.open(path, 'r');
    this.#file = file;
    this.#path = path;
    return file;
  }
}
