/**
 * Which block to ask a peer for next: the piece it is working on, then one nobody works on, then
 * the rarest new piece, then somebody else's piece, and at the end duplicates of late blocks.
 * A piece that several peers spoiled together is fetched again from one peer alone.
 */
import { type Bitfield, type Random, randomInt } from '../units/index.ts';
import { AvailabilityOrder } from './availability.ts';
import type { PieceGeometry } from './content.ts';
import { PartialPiece } from './partial-piece.ts';
import type { SlabPool } from './slab-pool.ts';

/** A peer as the picker sees it. */
export interface Taker {
  readonly peerKey: number;
  /** Whether this piece may be asked of the peer now. */
  canTake(piece: number): boolean;
  /** Whether it already has an open request for the block. */
  isPending(piece: number, block: number): boolean;
  /** Bytes a second it has been sending. */
  readonly receiveRate: number;
  /** The piece it fetches as its own; the picker sets it. */
  current: PartialPiece | null;
}

/** A block to ask for. */
export interface BlockPick {
  readonly piece: PartialPiece;
  readonly block: number;
}

/** A peer that needs less than this for a piece gets pieces of its own (as in libtorrent). */
const WHOLE_PIECE_SECONDS = 20;

/** Open requests for one block at most, at the end of a download. */
const DUPLICATES_MAX = 3;

/** What the picker works with. */
export interface PickerDeps {
  readonly slabs: SlabPool;
  readonly random: Random;
  /** Whether a suspect piece may be left to this peer alone. Without it: to anybody. */
  readonly mayIsolate?: (peerKey: number) => boolean;
}

/** The pieces of one torrent that are wanted and not yet here. */
export class PiecePicker {
  readonly partials: Map<number, PartialPiece> = new Map();
  readonly #geometry: PieceGeometry;
  readonly #slabs: SlabPool;
  readonly #random: Random;
  readonly #order: AvailabilityOrder;
  readonly #mayIsolate: (peerKey: number) => boolean;
  /** Pieces that failed with several givers. */
  readonly #suspects = new Set<number>();
  /** Slabs of open pieces and of pieces being checked or written. */
  #held = 0;

  constructor(geometry: PieceGeometry, have: Bitfield, deps: PickerDeps) {
    this.#geometry = geometry;
    this.#slabs = deps.slabs;
    this.#random = deps.random;
    this.#mayIsolate = deps.mayIsolate ?? ((): boolean => true);
    const missing: number[] = [];
    for (let piece = 0; piece < geometry.pieceCount; piece++) {
      if (!have.has(piece)) missing.push(piece);
    }
    this.#order = new AvailabilityOrder(geometry.pieceCount, missing, deps.random);
  }

  /** Whether `piece` is still to be had: neither here nor being checked. */
  isMissing(piece: number): boolean {
    return this.#order.has(piece) || this.partials.has(piece);
  }

  peerHas(piece: number): void {
    this.#order.increase(piece);
  }

  peerLost(piece: number): void {
    this.#order.decrease(piece);
  }

  /** The next block for `taker`, marked as asked; null when there is nothing for it now. */
  pick(taker: Taker): BlockPick | null {
    const current = taker.current;
    if (current?.hasFree) return take(current, taker);
    this.#leave(taker);
    const isFast =
      taker.receiveRate * WHOLE_PIECE_SECONDS >= this.#geometry.pieceLengthBytes ||
      this.partials.size === 0;
    const joined =
      this.#joinable(taker, (piece) => piece.workers === 0 || !isFast) ??
      this.#open(taker) ??
      this.#joinable(taker, () => true) ??
      this.#displace(taker);
    if (!joined) return null;
    joined.workers++;
    taker.current = joined;
    return take(joined, taker);
  }

  /**
   * A block that others were asked for and have not delivered: for a peer with nothing else to do.
   * Starts at a random piece so that many idle peers do not all duplicate the same block.
   */
  pickDuplicate(taker: Taker): BlockPick | null {
    const open = [...this.partials.values()];
    const start = randomInt(this.#random, Math.max(1, open.length));
    for (let step = 0; step < open.length; step++) {
      const piece = open[(start + step) % open.length];
      if (!piece || !isAllowed(piece, taker)) continue;
      for (let block = 0; block < piece.blockCount; block++) {
        const askers = piece.askersOf(block);
        if (askers === 0 || askers >= DUPLICATES_MAX) continue;
        if (taker.isPending(piece.index, block)) continue;
        piece.askAgain(block);
        return { piece, block };
      }
    }
    return null;
  }

  /** The peer is choked, silent or gone: what it was to fetch alone begins anew with another. */
  leave(taker: Taker): void {
    this.#leave(taker);
    if (this.#suspects.size === 0) return;
    for (const piece of this.partials.values()) {
      if (piece.onlyPeer === taker.peerKey) this.#dismiss(piece);
    }
  }

  /** From now on `piece` is fetched from one peer alone, until it is right. */
  isolate(piece: number): void {
    this.#suspects.add(piece);
  }

  /** A complete piece leaves the picker to be checked. */
  close(piece: PartialPiece): void {
    this.partials.delete(piece.index);
  }

  /** Its slab is free again, and if it failed it is wanted again. */
  settle(piece: PartialPiece, isGood: boolean): void {
    this.#giveSlab(piece);
    if (isGood) this.#suspects.delete(piece.index);
    else this.#order.add(piece.index, this.#random);
  }

  /** Gives every slab back: the torrent stops. */
  abandon(): void {
    for (const piece of [...this.partials.values()]) this.#dismiss(piece);
  }

  #mayBegin(piece: number, taker: Taker): boolean {
    if (!taker.canTake(piece)) return false;
    return !this.#suspects.has(piece) || this.#mayIsolate(taker.peerKey);
  }

  /** Begins the rarest piece that the peer has; null when there is none or no slab is free. */
  #open(taker: Taker): PartialPiece | null {
    if (!this.#slabs.canTake(this.#geometry.pieceLengthBytes, this.#held)) return null;
    const index = this.#order.first((piece) => this.#mayBegin(piece, taker));
    const slab = index < 0 ? null : this.#slabs.take(this.#geometry.pieceLength(index), this.#held);
    if (!slab) return null;
    this.#held++;
    this.#order.remove(index);
    const piece = new PartialPiece(index, slab);
    if (this.#suspects.has(index)) piece.onlyPeer = taker.peerKey;
    this.partials.set(index, piece);
    return piece;
  }

  /**
   * Begins a piece in the place of one that nobody is fetching: the peers that have it may never
   * come back, and the memory it holds would keep everybody else idle.
   */
  #displace(taker: Taker): PartialPiece | null {
    if (this.#slabs.canTake(this.#geometry.pieceLengthBytes, this.#held)) return null;
    let least: PartialPiece | null = null;
    for (const piece of this.partials.values()) {
      if (piece.workers > 0 || !piece.isIdle) continue;
      if (!least || piece.doneCount < least.doneCount) least = piece;
    }
    if (!least || this.#order.first((piece) => taker.canTake(piece)) < 0) return null;
    this.#dismiss(least);
    return this.#open(taker);
  }

  /** What has come of an open piece is lost; it is wanted again. */
  #dismiss(piece: PartialPiece): void {
    this.partials.delete(piece.index);
    this.#giveSlab(piece);
    this.#order.add(piece.index, this.#random);
  }

  #giveSlab(piece: PartialPiece): void {
    this.#held--;
    this.#slabs.give(piece.slab);
  }

  #joinable(taker: Taker, suits: (piece: PartialPiece) => boolean): PartialPiece | null {
    for (const piece of this.partials.values()) {
      if (piece.hasFree && suits(piece) && isAllowed(piece, taker)) return piece;
    }
    return null;
  }

  #leave(taker: Taker): void {
    if (taker.current) taker.current.workers--;
    taker.current = null;
  }
}

function isAllowed(piece: PartialPiece, taker: Taker): boolean {
  return piece.isFor(taker.peerKey) && taker.canTake(piece.index);
}

function take(piece: PartialPiece, taker: Taker): BlockPick {
  return { piece, block: piece.askNext(taker.peerKey) };
}
