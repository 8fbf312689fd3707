/**
 * Pieces we lack and have not begun, in the order to begin them: by priority, then by rarity or, in
 * sequential mode, by index. Kept up to date piece by piece, never sorted.
 */
import type { Random } from '../units/index.ts';
import { AvailabilityOrder, type PieceTable, pieceTable } from './availability.ts';
import { LEVEL_MAX } from './selection.ts';

/** One `AvailabilityOrder` per level in use. Pieces of level 0 are kept, and never offered. */
export class PieceOrder {
  /** Takes pieces by index inside a level, not by rarity. */
  isSequential = false;
  readonly #levels: Uint8Array;
  readonly #random: Random;
  readonly #table: PieceTable;
  readonly #orders: (AvailabilityOrder | null)[] = Array(LEVEL_MAX + 1).fill(null);
  /** For each level: no piece of it has a lower index. */
  readonly #cursors: Uint32Array = new Uint32Array(LEVEL_MAX + 1);

  /** Starts with `pieces`; `levels` is copied. */
  constructor(levels: Uint8Array, pieces: Iterable<number>, random: Random) {
    this.#levels = levels.slice();
    this.#random = random;
    this.#table = pieceTable(levels.length);
    const lists = new Map<number, number[]>();
    for (const piece of pieces) {
      const list = lists.get(this.#levelOf(piece));
      if (list) list.push(piece);
      else lists.set(this.#levelOf(piece), [piece]);
    }
    for (const [level, list] of lists) {
      this.#orders[level] = new AvailabilityOrder(this.#table, list, random);
    }
  }

  /** The highest level that has a piece to begin; 0 when there is nothing to begin. */
  get topLevel(): number {
    for (let level = LEVEL_MAX; level > 0; level--) if (this.#orders[level]?.size) return level;
    return 0;
  }

  /** Whether `piece` is here, of whatever level. */
  has(piece: number): boolean {
    return this.#orders[this.#levelOf(piece)]?.has(piece) ?? false;
  }

  /** One more peer has `piece`. */
  increase(piece: number): void {
    this.#orderFor(this.#levelOf(piece)).increase(piece);
  }

  /** One peer less has `piece`. */
  decrease(piece: number): void {
    this.#orderFor(this.#levelOf(piece)).decrease(piece);
  }

  /** Takes `piece` out: it is being downloaded, or we have it. */
  remove(piece: number): void {
    this.#orders[this.#levelOf(piece)]?.remove(piece);
  }

  /** Puts `piece` back. */
  add(piece: number): void {
    const level = this.#levelOf(piece);
    this.#orderFor(level).add(piece, this.#random);
    this.#cursors[level] = Math.min(this.#cursors[level] ?? 0, piece);
  }

  /** Replaces all levels; pieces that are here move to their new one. */
  setLevels(levels: Uint8Array): void {
    for (const [piece, level] of levels.entries()) {
      if (level === this.#levelOf(piece)) continue;
      const isHere = this.has(piece);
      this.remove(piece);
      this.#levels[piece] = level;
      if (isHere) this.add(piece);
    }
  }

  /** The first piece that passes `wanted`, of level `lowest` or higher; -1 when there is none. */
  first(wanted: (piece: number) => boolean, lowest = 1): number {
    for (let level = LEVEL_MAX; level >= lowest; level--) {
      const order = this.#orders[level];
      if (!order || order.size === 0) continue;
      const piece = this.isSequential
        ? this.#firstByIndex(order, level, wanted)
        : order.first(wanted);
      if (piece >= 0) return piece;
    }
    return -1;
  }

  #firstByIndex(
    order: AvailabilityOrder,
    level: number,
    wanted: (piece: number) => boolean,
  ): number {
    let piece = this.#cursors[level] ?? 0;
    while (!order.has(piece)) piece++;
    this.#cursors[level] = piece;
    for (let left = order.size; left > 0; piece++) {
      if (!order.has(piece)) continue;
      if (wanted(piece)) return piece;
      left--;
    }
    return -1;
  }

  #orderFor(level: number): AvailabilityOrder {
    const order = this.#orders[level] ?? new AvailabilityOrder(this.#table, [], this.#random);
    this.#orders[level] = order;
    return order;
  }

  #levelOf(piece: number): number {
    return this.#levels[piece] ?? 0;
  }
}
