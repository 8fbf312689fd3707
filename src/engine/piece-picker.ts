/**
 * Which block to ask a peer for next: the piece it is working on, then one nobody works on, then
 * the rarest new piece, then somebody else's piece, and at the end duplicates of late blocks.
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

/** The pieces of one torrent that are wanted and not yet here. */
export class PiecePicker {
  readonly partials: Map<number, PartialPiece> = new Map();
  readonly #geometry: PieceGeometry;
  readonly #slabs: SlabPool;
  readonly #random: Random;
  readonly #order: AvailabilityOrder;

  constructor(geometry: PieceGeometry, have: Bitfield, deps: { slabs: SlabPool; random: Random }) {
    this.#geometry = geometry;
    this.#slabs = deps.slabs;
    this.#random = deps.random;
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
      this.#joinable(taker, () => true);
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

  /** The peer is choked, gone or has other things to do. */
  leave(taker: Taker): void {
    this.#leave(taker);
  }

  /** A complete piece leaves the picker to be checked. */
  close(piece: PartialPiece): void {
    this.partials.delete(piece.index);
  }

  /** Its slab is free again, and if it failed it is wanted again. */
  settle(piece: PartialPiece, isGood: boolean): void {
    this.#slabs.give(piece.slab);
    if (!isGood) this.#order.add(piece.index, this.#random);
  }

  /** Opens a piece for one peer alone; null when no slab is free. */
  openFor(index: number, peerKey: number): PartialPiece | null {
    const slab = this.#slabs.take(this.#geometry.pieceLength(index));
    if (!slab) return null;
    this.#order.remove(index);
    const piece = new PartialPiece(index, slab);
    piece.onlyPeer = peerKey;
    this.partials.set(index, piece);
    return piece;
  }

  /** Gives every slab back: the torrent stops. */
  abandon(): void {
    for (const piece of this.partials.values()) {
      this.#slabs.give(piece.slab);
      this.#order.add(piece.index, this.#random);
    }
    this.partials.clear();
  }

  #open(taker: Taker): PartialPiece | null {
    if (!this.#slabs.canTake(this.#geometry.pieceLengthBytes)) return null;
    const index = this.#order.first((piece) => taker.canTake(piece));
    return index < 0 ? null : this.openFor(index, 0);
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
  return (piece.onlyPeer === 0 || piece.onlyPeer === taker.peerKey) && taker.canTake(piece.index);
}

function take(piece: PartialPiece, taker: Taker): BlockPick {
  return { piece, block: piece.askNext(taker.peerKey) };
}
