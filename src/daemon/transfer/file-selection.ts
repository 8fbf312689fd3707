/** From how much each file is wanted to how much each piece is. */
import { LEVEL_MAX, LEVEL_NORMAL } from '../../engine/index.ts';
import type { LayoutFile } from '../../platform/disk/index.ts';
import { assert } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';

/** Priorities 0 to 7 by file, in torrent order without padding; the rest get `others`. */
export interface FilePriorities {
  readonly files: readonly number[];
  readonly others: number;
}

/** The files of one torrent and how much each is wanted. */
export class FileSelection {
  readonly #files: readonly LayoutFile[];
  readonly #pieceLengthBytes: number;
  readonly #pieceCount: number;
  readonly #priorities: FilePriorities;

  /** Throws `DaemonError` DAEMON_FILE_UNKNOWN when there are more priorities than files. */
  constructor(
    torrent: {
      readonly files: readonly LayoutFile[];
      readonly pieceLengthBytes: number;
      readonly pieceCount: number;
    },
    priorities: FilePriorities,
  ) {
    this.#files = torrent.files.filter((file) => !file.isPad);
    this.#pieceLengthBytes = torrent.pieceLengthBytes;
    this.#pieceCount = torrent.pieceCount;
    this.#priorities = priorities;
    for (const level of [...priorities.files, priorities.others]) {
      assert(Number.isInteger(level) && level >= 0 && level <= LEVEL_MAX, 'priorities are 0 to 7');
    }
    const fileCount = this.#files.length;
    if (priorities.files.length <= fileCount) return;
    const many = fileCount === 1 ? '1 file' : `${fileCount} files`;
    throw new DaemonError(
      'DAEMON_FILE_UNKNOWN',
      `there is no file ${priorities.files.length}: the torrent has ${many}`,
      { fileCount },
    );
  }

  /** Whether file `nth` is wanted, counted from 0 without padding. */
  isWanted(nth: number): boolean {
    return this.#levelOf(nth) > 0;
  }

  /** A level per piece: the highest of the files it has bytes of. */
  levels(): Uint8Array {
    const levels = new Uint8Array(this.#pieceCount);
    const isOfFile = new Uint8Array(this.#pieceCount);
    for (const [nth, { offsetBytes, lengthBytes }] of this.#files.entries()) {
      if (lengthBytes === 0) continue;
      const last = Math.floor((offsetBytes + lengthBytes - 1) / this.#pieceLengthBytes);
      for (let piece = Math.floor(offsetBytes / this.#pieceLengthBytes); piece <= last; piece++) {
        isOfFile[piece] = 1;
        levels[piece] = Math.max(levels[piece] ?? 0, this.#levelOf(nth));
      }
    }
    // A piece of nothing but padding is in nobody's way; without it the torrent is not complete.
    return levels.map((level, piece) => (isOfFile[piece] ? level : LEVEL_NORMAL));
  }

  #levelOf(nth: number): number {
    return this.#priorities.files[nth] ?? this.#priorities.others;
  }
}
