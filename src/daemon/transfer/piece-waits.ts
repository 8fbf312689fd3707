/** Who waits for which pieces, and until when: what `whenHere` and `forget` are made of. */
import type { Deadline } from '../../engine/index.ts';
import { assert, instant } from '../../units/index.ts';

/** A row of pieces, both ends part of it. */
export interface PieceRange {
  readonly firstPiece: number;
  readonly lastPiece: number;
}

interface Wait {
  readonly range: PieceRange;
  readonly sinceMs: number;
  readonly withinMs: number;
  /** Pieces that are not here; null until it is known what is here. */
  missingCount: number | null;
  resolve(): void;
  reject(failure: Error): void;
}

/** What is here of a torrent. */
export interface PiecesHere {
  readonly size: number;
  has(piece: number): boolean;
}

/** The waits of one torrent. They may begin before it is known what is here. */
export class PieceWaits {
  readonly #waits = new Set<Wait>();
  #here: PiecesHere | null = null;
  #failure: Error | null = null;

  /** Resolves when all of `range` is here; rejects when it is forgotten or the torrent ends. */
  add(range: PieceRange, nowMs: number, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const wait = { range, sinceMs: nowMs, withinMs, missingCount: null, resolve, reject };
      this.#waits.add(wait);
      this.#count(wait);
    });
  }

  /** Gives up every wait for exactly this range. */
  forget({ firstPiece, lastPiece }: PieceRange, failure: Error): void {
    for (const wait of this.#waits) {
      const { range } = wait;
      if (range.firstPiece !== firstPiece || range.lastPiece !== lastPiece) continue;
      this.#waits.delete(wait);
      wait.reject(failure);
    }
  }

  /** From now on it is known what is here. */
  begin(here: PiecesHere): void {
    this.#here = here;
    for (const wait of this.#waits) this.#count(wait);
  }

  /** A piece is verified and on disk. Called once for each that was missing. */
  onPiece(piece: number): void {
    for (const wait of this.#waits) {
      const { firstPiece, lastPiece } = wait.range;
      if (piece < firstPiece || piece > lastPiece || wait.missingCount === null) continue;
      wait.missingCount--;
      this.#settle(wait);
    }
  }

  /** The torrent goes on no longer: every wait, now and later, ends with `failure`. */
  end(failure: Error): void {
    this.#failure = failure;
    for (const wait of this.#waits) wait.reject(failure);
    this.#waits.clear();
  }

  /** When each missing piece should be here: spread evenly over the time of its wait. */
  deadlines(): readonly Deadline[] {
    const found: Deadline[] = [];
    for (const { range, sinceMs, withinMs } of this.#waits) {
      const count = range.lastPiece - range.firstPiece + 1;
      for (let nth = 0; nth < count && this.#here; nth++) {
        const piece = range.firstPiece + nth;
        if (this.#here.has(piece)) continue;
        found.push({ piece, at: instant(sinceMs + (withinMs * (nth + 1)) / count) });
      }
    }
    return found;
  }

  #count(wait: Wait): void {
    const here = this.#here;
    if (!here) return;
    const { firstPiece, lastPiece } = wait.range;
    assert(
      firstPiece >= 0 && firstPiece <= lastPiece && lastPiece < here.size,
      () => `pieces ${firstPiece} to ${lastPiece} of ${here.size}`,
    );
    let missing = 0;
    for (let piece = firstPiece; piece <= lastPiece; piece++) if (!here.has(piece)) missing++;
    wait.missingCount = missing;
    this.#settle(wait);
  }

  #settle(wait: Wait): void {
    if (wait.missingCount !== 0) return;
    this.#waits.delete(wait);
    wait.resolve();
  }
}
