/** The window of one reader: the piece it needs now, and those it will need next. */
import type { PieceDesk } from './piece-desk.ts';

/** Asked for beyond the reader: three seconds of 20 Mbit/s, a minute of music. */
const AHEAD_BYTES = 8 * 2 ** 20;
/** And in pieces at least and at most: large ones must not leave the link idle between two. */
const AHEAD_PIECES_MIN = 2;
const AHEAD_PIECES_MAX = 128;
/** What is read ahead is wanted as if it were played at this rate: 8 Mbit/s. */
const PLAYED_BYTES_PER_SECOND = 2 ** 20;

/** How a torrent is cut, and where the reader ends. */
export interface ReadAheadOptions {
  readonly pieceLengthBytes: number;
  readonly lastPiece: number;
}

/** Moves forward only; another place is another reader. */
export class ReadAhead {
  readonly #desk: PieceDesk;
  readonly #options: ReadAheadOptions;
  readonly #aheadCount: number;
  readonly #wanted = new Map<number, Promise<void>>();
  #isStopped = false;

  constructor(desk: PieceDesk, options: ReadAheadOptions) {
    this.#desk = desk;
    this.#options = options;
    const count = Math.ceil(AHEAD_BYTES / options.pieceLengthBytes);
    this.#aheadCount = Math.min(AHEAD_PIECES_MAX, Math.max(AHEAD_PIECES_MIN, count));
  }

  /** Resolves when `piece` is on disk, and has those after it on their way. */
  async reach(piece: number): Promise<void> {
    for (const past of this.#wanted.keys()) if (past < piece) this.#leave(past);
    const end = Math.min(this.#options.lastPiece, piece + this.#aheadCount);
    for (let next = piece; next <= end && !this.#isStopped; next++) this.#want(next, next - piece);
    await this.#wanted.get(piece);
  }

  /** The reader has gone: what only it wanted is not urgent any more. */
  stop(): void {
    this.#isStopped = true;
    for (const piece of this.#wanted.keys()) this.#leave(piece);
  }

  #want(piece: number, ahead: number): void {
    if (this.#wanted.has(piece) || this.#desk.isHere(piece)) return;
    const withinMs = (1000 * ahead * this.#options.pieceLengthBytes) / PLAYED_BYTES_PER_SECOND;
    const here = this.#desk.want(piece, Math.round(withinMs));
    this.#wanted.set(piece, here);
    // Whoever comes to this piece learns of the failure.
    here.catch(() => {});
  }

  #leave(piece: number): void {
    this.#wanted.delete(piece);
    this.#desk.leave(piece);
  }
}
