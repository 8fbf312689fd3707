/** A disk in memory, which can misbehave. */
import type { DiskDone, PieceStore, TorrentContent } from '../engine/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Disk and hashing answer after so long. */
export const DISK_MS = 1;

/** The data of one torrent. Reading takes a millisecond, and writing, too. */
export class MemoryStore implements PieceStore {
  readonly bytes: Uint8Array;
  readonly #clock: VirtualClock;
  readonly #pieceLengthBytes: number;
  /** Changes what is read: a seed that lies. */
  spoil: ((offset: number, into: Uint8Array) => void) | null = null;
  /** Writing takes so long. */
  writeMs: number = DISK_MS;
  /** Reads that begin now never end. */
  isStuck = false;
  /** What the next operations fail with. */
  failure: Error | null = null;

  constructor(clock: VirtualClock, content: TorrentContent) {
    this.#clock = clock;
    this.#pieceLengthBytes = content.pieceLengthBytes;
    this.bytes = new Uint8Array(content.totalBytes);
  }

  writePiece(index: number, piece: Uint8Array, done: DiskDone): void {
    this.#clock.after(this.writeMs, () => {
      if (!this.failure) this.bytes.set(piece, index * this.#pieceLengthBytes);
      done(this.failure);
    });
  }

  read(offset: number, into: Uint8Array, done: DiskDone): void {
    if (this.isStuck) return;
    this.#clock.after(DISK_MS, () => {
      into.set(this.bytes.subarray(offset, offset + into.length));
      this.spoil?.(offset, into);
      done(this.failure);
    });
  }
}
