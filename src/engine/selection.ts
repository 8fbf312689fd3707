/** Which pieces are wanted and how much, and what of them is not here yet. */
import { assert, type Bitfield } from '../units/index.ts';
import type { PieceGeometry } from './content.ts';

/** Priorities as in libtorrent: 0 is not wanted, 4 is usual, 7 comes first. */
export const LEVEL_MAX = 7;

/** A piece nobody said anything about. */
export const LEVEL_NORMAL = 4;

/** The wishes of one torrent. Counts as pieces come in, so that asking costs nothing. */
export class Selection {
  /** One level per piece. */
  readonly levels: Uint8Array;
  readonly #geometry: PieceGeometry;
  readonly #have: Bitfield;
  #missingCount = 0;
  #wantedBytes = 0;
  #remainingBytes = 0;
  #hereBytes = 0;

  constructor(geometry: PieceGeometry, have: Bitfield, levels: Uint8Array | null = null) {
    this.#geometry = geometry;
    this.#have = have;
    this.levels = new Uint8Array(geometry.pieceCount).fill(LEVEL_NORMAL);
    if (levels) this.#set(levels);
    this.#count();
  }

  /** Wanted pieces that are not here. */
  get missingCount(): number {
    return this.#missingCount;
  }

  /** Bytes of the pieces that are wanted, here or not. */
  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  /** Bytes of the wanted pieces that are not here. */
  get remainingBytes(): number {
    return this.#remainingBytes;
  }

  /** Bytes of the pieces that are here, wanted or not. */
  get hereBytes(): number {
    return this.#hereBytes;
  }

  isWanted(piece: number): boolean {
    return (this.levels[piece] ?? 0) > 0;
  }

  /** On disk and right. */
  hasHere(piece: number): boolean {
    return this.#have.has(piece);
  }

  /** Wanted, and not here. */
  isMissing(piece: number): boolean {
    return this.isWanted(piece) && !this.#have.has(piece);
  }

  /** A piece has come, wanted or not. Called once for each. */
  onGot(piece: number): void {
    const length = this.#geometry.pieceLength(piece);
    this.#hereBytes += length;
    if (!this.isWanted(piece)) return;
    this.#missingCount--;
    this.#remainingBytes -= length;
  }

  /** Replaces all levels. The pieces that are not here and are wanted now, or not any more. */
  replace(levels: Uint8Array): readonly number[] {
    const turned: number[] = [];
    for (const [piece, level] of levels.entries()) {
      if (level > 0 !== this.isWanted(piece) && !this.#have.has(piece)) turned.push(piece);
    }
    this.#set(levels);
    this.#count();
    return turned;
  }

  #set(levels: Uint8Array): void {
    assert(levels.length === this.levels.length, () => `${levels.length} levels for pieces`);
    assert(
      levels.every((level) => level <= LEVEL_MAX),
      'levels are 0 to 7',
    );
    this.levels.set(levels);
  }

  #count(): void {
    this.#missingCount = 0;
    this.#wantedBytes = 0;
    this.#remainingBytes = 0;
    this.#hereBytes = 0;
    for (let piece = 0; piece < this.levels.length; piece++) {
      const length = this.#geometry.pieceLength(piece);
      const isHere = this.#have.has(piece);
      if (isHere) this.#hereBytes += length;
      if (!this.isWanted(piece)) continue;
      this.#wantedBytes += length;
      if (isHere) continue;
      this.#missingCount++;
      this.#remainingBytes += length;
    }
  }
}
