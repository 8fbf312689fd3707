/** The engine's piece store on files: whole pieces are written, runs of blocks are read. */
import fs from 'node:fs';
import type { DiskDone, PieceStore } from '../../engine/index.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileSegment } from './file-layout.ts';
import { type OpenFile, OpenFiles, type OpenMode } from './open-files.ts';
import type { Placement } from './placement.ts';

/** Files a piece touches at once: one of a thousand small files must not open a thousand. */
const SEGMENTS_AT_ONCE = 16;

/** One torrent's files. Operations run in the thread pool; their number is bounded by slabs. */
export class TorrentStore implements PieceStore {
  readonly #placement: Placement;
  readonly #files = new OpenFiles();
  #pending = 0;
  #onIdle: (() => void) | null = null;

  constructor(placement: Placement) {
    this.#placement = placement;
    this.#placement.onPartsGone = (path) => this.#files.forget(path);
  }

  writePiece(index: number, piece: Uint8Array, done: DiskDone): void {
    const segments = this.#placement.segmentsToWrite(index, piece.length);
    const settle: DiskDone = (failure) => {
      const trouble = this.#placement.settle(index, failure === null);
      done(failure ?? trouble);
    };
    this.#all(segments, settle, (segment, next) => this.#write(segment, piece, next));
  }

  read(offset: number, into: Uint8Array, done: DiskDone): void {
    const segments = this.#placement.segments(offset, into.length);
    this.#all(segments, done, (segment, next) => this.#read(segment, into, next));
  }

  /** Closes the files once nothing is under way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#files.closeAll();
        resolve();
      };
      if (this.#pending === 0) finish();
      else this.#onIdle = finish;
    });
  }

  /** Runs an operation per segment, some at once, and reports the first failure when all ended. */
  #all(
    segments: readonly FileSegment[],
    done: DiskDone,
    run: (segment: FileSegment, next: DiskDone) => void,
  ): void {
    let started = 0;
    let left = segments.length;
    let first: Error | null = null;
    this.#pending++;
    const start = (): void => {
      const segment = segments[started++];
      if (segment) run(segment, finish);
    };
    const finish: DiskDone = (failure) => {
      first ??= failure;
      left--;
      if (left > 0) {
        start();
        return;
      }
      this.#pending--;
      done(first);
      if (this.#pending === 0) this.#onIdle?.();
    };
    for (let nth = Math.min(SEGMENTS_AT_ONCE, segments.length); nth > 0; nth--) start();
  }

  #write(segment: FileSegment, piece: Uint8Array, next: DiskDone): void {
    const { path, start, length, position } = segment;
    if (path === null) {
      setImmediate(next, null);
      return;
    }
    this.#withFile(path, 'write', next, (fd, finish) => {
      const step = (done: number): void => {
        const at = start + done;
        fs.write(fd, piece, at, length - done, position + done, (failure, written) => {
          if (failure) return finish(diskFailure(failure, path));
          if (done + written < length) return step(done + written);
          finish(null);
        });
      };
      step(0);
    });
  }

  #read(segment: FileSegment, into: Uint8Array, next: DiskDone): void {
    const { path, start, length, position } = segment;
    if (path === null) {
      into.fill(0, start, start + length);
      setImmediate(next, null);
      return;
    }
    this.#withFile(path, 'read', next, (fd, finish) => {
      const step = (done: number): void => {
        fs.read(fd, into, start + done, length - done, position + done, (failure, got) => {
          if (failure) return finish(diskFailure(failure, path));
          if (got === 0) return finish(tooShort(path, position + done));
          if (done + got < length) return step(done + got);
          finish(null);
        });
      };
      step(0);
    });
  }

  #withFile(
    path: string,
    mode: OpenMode,
    next: DiskDone,
    use: (fd: number, finish: DiskDone) => void,
  ): void {
    let file: OpenFile;
    try {
      file = this.#files.acquire(path, mode);
    } catch (failure) {
      const wrapped = diskFailure(failure as NodeJS.ErrnoException, path);
      setImmediate(next, wrapped);
      return;
    }
    use(file.fd, (failure) => {
      this.#files.release(file);
      next(failure);
    });
  }
}

function tooShort(path: string, at: number): Error {
  const failure: NodeJS.ErrnoException = new Error(
    `the file ends at byte ${at}, earlier than it should`,
  );
  return diskFailure(failure, path);
}
