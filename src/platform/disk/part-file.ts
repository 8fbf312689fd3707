/**
 * The part file of one torrent: whole pieces that touch files nobody wants, so that these files
 * need not exist (libtorrent keeps one, too). A table of slots, then the slots.
 */
import fs from 'node:fs';
import { diskFailure } from './disk-failure.ts';

/** Another form is not read: its pieces are missing then. */
const MAGIC = 'bwparts1';
const HEAD_BYTES = 16;
const ENTRY_BYTES = 4;

/** How the torrent is cut. */
export interface PartShape {
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
}

/**
 * Says where in the file each piece is. Slots are never used again while it exists, so that what
 * is being read is not overwritten.
 */
export class PartFile {
  readonly path: string;
  readonly #shape: PartShape;
  /** Piece → slot. What has a slot is whole. */
  readonly #slots = new Map<number, number>();
  /** Being written. */
  readonly #reserved = new Map<number, number>();
  #nextSlot = 0;
  #isMade = false;

  /** Reads the table if the file exists. Throws `PlatformError` when it cannot be opened. */
  constructor(path: string, shape: PartShape) {
    this.path = path;
    this.#shape = shape;
    this.#load();
  }

  /** The pieces it holds. */
  get pieces(): readonly number[] {
    return [...this.#slots.keys()];
  }

  /** Whether it holds nothing, and nothing is being written to it. */
  get isEmpty(): boolean {
    return this.#slots.size === 0 && this.#reserved.size === 0;
  }

  /** Where `piece` begins in the file; null when it is not there. */
  positionOf(piece: number): number | null {
    const slot = this.#slots.get(piece);
    return slot === undefined ? null : this.#positionOfSlot(slot);
  }

  /** Where `piece` is to be written; `record` it then. */
  reserve(piece: number): number {
    const slot = this.#slots.get(piece) ?? this.#reserved.get(piece) ?? this.#nextSlot++;
    if (!this.#slots.has(piece)) this.#reserved.set(piece, slot);
    return this.#positionOfSlot(slot);
  }

  /** The piece has been written, or could not be. Throws the system's error. */
  record(piece: number, isWritten: boolean): void {
    const slot = this.#reserved.get(piece);
    this.#reserved.delete(piece);
    if (slot === undefined || !isWritten) return;
    this.#writeEntry(piece, slot + 1);
    this.#slots.set(piece, slot);
  }

  /** Forgets `piece`; with the last one the file goes. True when it has gone. */
  drop(piece: number): boolean {
    if (!this.#slots.delete(piece)) return false;
    if (!this.isEmpty) {
      this.#writeEntry(piece, 0);
      return false;
    }
    fs.rmSync(this.path, { force: true });
    this.#isMade = false;
    this.#nextSlot = 0;
    return true;
  }

  get #slotsAt(): number {
    return HEAD_BYTES + ENTRY_BYTES * this.#shape.pieceCount;
  }

  #positionOfSlot(slot: number): number {
    return this.#slotsAt + slot * this.#shape.pieceLengthBytes;
  }

  /** Writing is rare, a few bytes, and into the system's cache: it may as well be done at once. */
  #writeEntry(piece: number, value: number): void {
    const fd = fs.openSync(this.path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666);
    try {
      if (!this.#isMade) fs.writeSync(fd, this.#head(), 0, HEAD_BYTES, 0);
      this.#isMade = true;
      const entry = Buffer.alloc(ENTRY_BYTES);
      entry.writeUInt32BE(value);
      fs.writeSync(fd, entry, 0, ENTRY_BYTES, HEAD_BYTES + ENTRY_BYTES * piece);
    } finally {
      fs.closeSync(fd);
    }
  }

  #head(): Buffer {
    const head = Buffer.alloc(HEAD_BYTES);
    head.write(MAGIC, 'latin1');
    head.writeUInt32BE(this.#shape.pieceCount, 8);
    head.writeUInt32BE(this.#shape.pieceLengthBytes, 12);
    return head;
  }

  #load(): void {
    const table = this.#readTable();
    if (!table?.subarray(0, HEAD_BYTES).equals(this.#head())) return;
    this.#isMade = true;
    for (let piece = 0; piece < this.#shape.pieceCount; piece++) {
      const value = table.readUInt32BE(HEAD_BYTES + ENTRY_BYTES * piece);
      if (value === 0 || value > this.#shape.pieceCount) continue;
      this.#slots.set(piece, value - 1);
      this.#nextSlot = Math.max(this.#nextSlot, value);
    }
  }

  #readTable(): Buffer | null {
    try {
      const fd = fs.openSync(this.path, 'r');
      try {
        const table = Buffer.alloc(this.#slotsAt);
        return fs.readSync(fd, table, 0, table.length, 0) === table.length ? table : null;
      } finally {
        fs.closeSync(fd);
      }
    } catch (failure) {
      const { code } = failure as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw diskFailure(failure as NodeJS.ErrnoException, this.path);
    }
  }
}
