/** Where readers ask for pieces of one torrent: several may want the same one. */

/** A row of pieces, both ends part of it. */
export interface PieceRange {
  readonly firstPiece: number;
  readonly lastPiece: number;
}

/** What brings the pieces: the transfer thread. */
export interface PieceSource {
  /**
   * Resolves when the pieces are verified and on disk; they are wanted within `withinMs` from now.
   */
  whenHere(torrent: string, range: PieceRange, withinMs: number): Promise<void>;
  /** The pieces are not urgent any more. */
  forget(torrent: string, range: PieceRange): Promise<void>;
}

/** A piece that somebody waits for. */
interface Wait {
  readonly here: Promise<void>;
  /** When it was wanted, on the clock of `performance.now`. */
  dueAt: number;
  users: number;
}

/** Asks for each piece once, and gives it up when the last reader has. */
export class PieceDesk {
  readonly #source: PieceSource;
  readonly #torrent: string;
  readonly #isHere: Uint8Array;
  readonly #waits = new Map<number, Wait>();

  constructor(source: PieceSource, torrent: { readonly key: string; readonly pieceCount: number }) {
    this.#source = source;
    this.#torrent = torrent.key;
    this.#isHere = new Uint8Array(torrent.pieceCount);
  }

  /** Everything is on disk. */
  complete(): void {
    this.#isHere.fill(1);
  }

  isHere(piece: number): boolean {
    return this.#isHere[piece] === 1;
  }

  /**
   * Resolves when `piece` is on disk; `leave` it once for each call. Rejects when the torrent has
   * stopped, or when the last reader leaves.
   */
  want(piece: number, withinMs: number): Promise<void> {
    if (this.isHere(piece)) return Promise.resolve();
    const dueAt = performance.now() + withinMs;
    const known = this.#waits.get(piece);
    if (!known) return this.#ask(piece, withinMs);
    known.users++;
    // Read ahead for one reader, and now another one waits for it.
    if (dueAt < known.dueAt) {
      known.dueAt = dueAt;
      this.#call(piece, withinMs).catch(() => {});
    }
    return known.here;
  }

  /** A reader does not need `piece` any more, be it here or not. */
  leave(piece: number): void {
    const wait = this.#waits.get(piece);
    if (!wait) return;
    wait.users--;
    if (wait.users > 0) return;
    this.#waits.delete(piece);
    const range = { firstPiece: piece, lastPiece: piece };
    this.#source.forget(this.#torrent, range).catch(() => {});
  }

  #ask(piece: number, withinMs: number): Promise<void> {
    const dueAt = performance.now() + withinMs;
    const wait: Wait = { here: this.#call(piece, withinMs), dueAt, users: 1 };
    this.#waits.set(piece, wait);
    const end = (): void => {
      if (this.#waits.get(piece) === wait) this.#waits.delete(piece);
    };
    wait.here.then(() => {
      this.#isHere[piece] = 1;
      end();
    }, end);
    return wait.here;
  }

  #call(piece: number, withinMs: number): Promise<void> {
    const range = { firstPiece: piece, lastPiece: piece };
    return this.#source.whenHere(this.#torrent, range, withinMs);
  }
}
