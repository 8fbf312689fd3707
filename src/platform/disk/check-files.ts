/** Hashes what is on disk and says which pieces are right. */
import fs from 'node:fs/promises';
import { Bitfield, equalBytes } from '../../units/index.ts';
import type { FileLayout, FileSegment } from './file-layout.ts';
import { nodeHasher } from './node-hasher.ts';

/** What is checked, and against what. */
export interface CheckTarget {
  readonly layout: Pick<FileLayout, 'totalBytes' | 'segments'>;
  readonly pieceLengthBytes: number;
  /** 20 bytes of SHA-1 per piece. */
  readonly pieceHashes: Uint8Array;
}

/** How a check goes on and can be stopped. */
export interface CheckOptions {
  /** Called after every piece. */
  readonly onProgress?: (checkedPieces: number, goodPieces: number) => void;
  readonly signal?: AbortSignal;
}

/** Reads every piece; missing, short and unreadable files count as wrong, never as errors. */
export async function checkFiles(
  target: CheckTarget,
  options: CheckOptions = {},
): Promise<Bitfield> {
  const { layout, pieceLengthBytes, pieceHashes } = target;
  const pieceCount = Math.ceil(layout.totalBytes / pieceLengthBytes);
  const good = new Bitfield(pieceCount);
  const buffer = new Uint8Array(Math.min(pieceLengthBytes, layout.totalBytes));
  const files = new FileReaders();
  try {
    for (let piece = 0; piece < pieceCount; piece++) {
      options.signal?.throwIfAborted();
      const offset = piece * pieceLengthBytes;
      const view = buffer.subarray(0, Math.min(pieceLengthBytes, layout.totalBytes - offset));
      const isThere = await files.read(layout.segments(offset, view.length), view);
      const wanted = pieceHashes.subarray(piece * 20, piece * 20 + 20);
      if (isThere && equalBytes(nodeHasher.sha1(view), wanted)) good.set(piece);
      options.onProgress?.(piece + 1, good.count);
    }
  } finally {
    await files.close();
  }
  return good;
}

/** Reads segments in torrent order, with one file open at a time. */
class FileReaders {
  #path: string | null = null;
  #file: fs.FileHandle | null = null;

  /** Fills `into`; false when a file is missing or too short. */
  async read(segments: readonly FileSegment[], into: Uint8Array): Promise<boolean> {
    for (const { path, start, length, position } of segments) {
      if (path === null) into.fill(0, start, start + length);
      else if (!(await this.#fill(path, into.subarray(start, start + length), position)))
        return false;
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    this.#path = null;
  }

  async #fill(path: string, into: Uint8Array, position: number): Promise<boolean> {
    if (this.#path !== path) {
      await this.close();
      this.#file = await fs.open(path, 'r').catch(() => null);
      this.#path = path;
    }
    let done = 0;
    while (this.#file && done < into.length) {
      const left = into.length - done;
      // A folder opens like a file and fails only here; so does a bad sector.
      const result = await this.#file.read(into, done, left, position + done).catch(() => null);
      if (!result || result.bytesRead === 0) return false;
      done += result.bytesRead;
    }
    return done === into.length && this.#file !== null;
  }
}
