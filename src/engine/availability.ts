/**
 * Pieces we lack, in the order to take them: by rarity, at random inside equal rarity. The order is
 * kept up to date by single swaps, never rebuilt or scanned per block.
 */
import { type Random, randomInt, shuffle } from '../units/index.ts';

/** What the orders of one torrent share: a piece stands in one of them at most. */
export interface PieceTable {
  /** How many counted peers have a piece. */
  readonly counts: Uint16Array;
  /** Where a piece stands in the order it is in. */
  readonly positions: Int32Array;
}

/** A table for pieces that nobody has yet. */
export function pieceTable(pieceCount: number): PieceTable {
  return { counts: new Uint16Array(pieceCount), positions: new Int32Array(pieceCount) };
}

/** One priority's missing pieces, grouped by how many peers have them. */
export class AvailabilityOrder {
  /** Piece indexes, rarest first. */
  readonly #order: number[];
  readonly #position: Int32Array;
  readonly #availability: Uint16Array;
  /** `#ends[a]` is where the pieces of availability `a` end. Grows as needed. */
  readonly #ends: number[];

  /** Starts with `pieces`, none of which any peer has. */
  constructor(table: PieceTable, pieces: Iterable<number>, random: Random) {
    this.#order = shuffle([...pieces], random);
    this.#position = table.positions;
    for (const [at, piece] of this.#order.entries()) this.#position[piece] = at;
    this.#availability = table.counts;
    this.#ends = [this.#order.length];
  }

  get size(): number {
    return this.#order.length;
  }

  /** How many counted peers have `piece`, whether or not it is in the order. */
  availabilityOf(piece: number): number {
    return this.#availability[piece] ?? 0;
  }

  has(piece: number): boolean {
    return this.#order[this.#position[piece] ?? -1] === piece;
  }

  /** One more peer has `piece`. */
  increase(piece: number): void {
    const level = this.availabilityOf(piece);
    if (level === 0xffff) return;
    this.#availability[piece] = level + 1;
    if (!this.has(piece)) return;
    this.#growTo(level + 1);
    // The last of its group changes places with it and the border moves before it.
    const last = (this.#ends[level] ?? 0) - 1;
    this.#swap(this.#position[piece] ?? 0, last);
    this.#ends[level] = last;
  }

  /** One peer less has `piece`. */
  decrease(piece: number): void {
    const level = this.availabilityOf(piece);
    if (level === 0) return;
    this.#availability[piece] = level - 1;
    if (!this.has(piece)) return;
    const first = this.#ends[level - 1] ?? 0;
    this.#swap(this.#position[piece] ?? 0, first);
    this.#ends[level - 1] = first + 1;
  }

  /** Takes `piece` out: it is being downloaded, or we have it. */
  remove(piece: number): void {
    if (!this.has(piece)) return;
    let at = this.#position[piece] ?? 0;
    // The hole walks to the end, one swap per group.
    for (let level = this.availabilityOf(piece); level < this.#ends.length; level++) {
      const last = (this.#ends[level] ?? 0) - 1;
      this.#swap(at, last);
      this.#ends[level] = last;
      at = last;
    }
    this.#order.pop();
  }

  /** Puts `piece` back, at a random place of its group. */
  add(piece: number, random: Random): void {
    if (this.has(piece)) return;
    const level = this.availabilityOf(piece);
    this.#growTo(level);
    let at = this.#order.length;
    this.#order.push(piece);
    this.#position[piece] = at;
    for (let above = this.#ends.length - 1; above > level; above--) {
      const first = this.#ends[above - 1] ?? 0;
      this.#swap(at, first);
      this.#ends[above] = (this.#ends[above] ?? 0) + 1;
      at = first;
    }
    this.#ends[level] = (this.#ends[level] ?? 0) + 1;
    const start = level === 0 ? 0 : (this.#ends[level - 1] ?? 0);
    this.#swap(at, start + randomInt(random, (this.#ends[level] ?? 0) - start));
  }

  /** The first piece in the order that passes `wanted`, or -1. */
  first(wanted: (piece: number) => boolean): number {
    for (const piece of this.#order) if (wanted(piece)) return piece;
    return -1;
  }

  #growTo(level: number): void {
    while (this.#ends.length <= level) this.#ends.push(this.#order.length);
  }

  #swap(a: number, b: number): void {
    const pieceA = this.#order[a] as number;
    const pieceB = this.#order[b] as number;
    this.#order[a] = pieceB;
    this.#order[b] = pieceA;
    this.#position[pieceA] = b;
    this.#position[pieceB] = a;
  }
}
