/**
 * Which block to ask a peer for next: what is urgent, then the piece it is working on, then one
 * nobody works on, then the rarest new piece, then somebody else's piece, and at the end duplicates
 * of late blocks. A higher priority goes before all but what is urgent. A piece that several peers
 * spoiled together is fetched again from one peer alone.
 */
import { type Instant, type Random, randomInt } from '../units/index.ts';
import type { PieceGeometry } from './content.ts';
import { PartialPiece } from './partial-piece.ts';
import { PieceOrder } from './piece-order.ts';
import type { Selection } from './selection.ts';
import type { SlabPool } from './slab-pool.ts';
import type { BlockPick, Taker } from './taker.ts';
import { type Deadline, DUPLICATES_MAX, TimeCritical } from './time-critical.ts';

/** A peer that needs less than this for a piece gets pieces of its own (as in libtorrent). */
const WHOLE_PIECE_SECONDS = 20;

/** What the picker works with. */
export interface PickerDeps {
  readonly slabs: SlabPool;
  readonly random: Random;
  /** Whether a suspect piece may be left to this peer alone. Without it: to anybody. */
  readonly mayIsolate?: (peerKey: number) => boolean;
  /** Whether a piece may be begun: what it is checked by is known. Without it: always. */
  readonly isReady?: (piece: number) => boolean;
  /** All peers that could be asked, for what is urgent. */
  readonly takers?: () => Iterable<Taker>;
}

/** The pieces of one torrent that are not yet here. */
export class PiecePicker {
  readonly partials: Map<number, PartialPiece> = new Map();
  readonly #geometry: PieceGeometry;
  readonly #slabs: SlabPool;
  readonly #random: Random;
  readonly #selection: Selection;
  readonly #order: PieceOrder;
  readonly #critical: TimeCritical;
  readonly #mayIsolate: (peerKey: number) => boolean;
  readonly #isReady: ((piece: number) => boolean) | null;
  /** Pieces that failed with several givers. */
  readonly #suspects = new Set<number>();
  /** Slabs of open pieces and of pieces being checked or written. */
  #held = 0;

  /** `selection` knows what is here; pieces of level 0 are not asked for. */
  constructor(geometry: PieceGeometry, selection: Selection, deps: PickerDeps) {
    this.#geometry = geometry;
    this.#selection = selection;
    this.#slabs = deps.slabs;
    this.#random = deps.random;
    this.#mayIsolate = deps.mayIsolate ?? ((): boolean => true);
    this.#isReady = deps.isReady ?? null;
    const missing: number[] = [];
    for (let piece = 0; piece < geometry.pieceCount; piece++) {
      if (!selection.hasHere(piece)) missing.push(piece);
    }
    this.#order = new PieceOrder(selection.levels, missing, deps.random);
    const reach = (piece: number, taker: Taker): PartialPiece | null => this.#reach(piece, taker);
    const { partials } = this;
    this.#critical = new TimeCritical({ partials, reach }, deps.takers ?? ((): Taker[] => []));
  }

  /** Takes pieces by index, not by rarity. */
  get isSequential(): boolean {
    return this.#order.isSequential;
  }
  set isSequential(isSequential: boolean) {
    this.#order.isSequential = isSequential;
  }

  /** Whether anything has to be here by a time. */
  get isUrgent(): boolean {
    return !this.#critical.isEmpty;
  }

  /** Whether what has to be here by a time is overdue: then the rate is what is lacking. */
  isLate(now: Instant): boolean {
    return this.#critical.isLate(now);
  }

  /**
   * Replaces the pieces that have to be here by a time; what is here or not wanted is left out.
   * True when one of them is new and due at once: it is for `pickFresh`.
   */
  setDeadlines(deadlines: readonly Deadline[], now: Instant): boolean {
    const missing = deadlines.filter(({ piece }) => this.#selection.isMissing(piece));
    return this.#critical.replace(missing, now);
  }

  /** Whether `piece` has to be here within a second. */
  isDueSoon(piece: number, now: Instant): boolean {
    return this.#critical.isDueSoon(piece, now);
  }

  /** A block of a piece that has just become urgent; null when there is none for `taker`. */
  pickFresh(taker: Taker): BlockPick | null {
    return this.#critical.pickFresh(taker);
  }

  /** The selection has changed: every piece gets its new level, and peers choose anew. */
  prioritise(takers: Iterable<Taker>): void {
    const { levels } = this.#selection;
    this.#order.setLevels(levels);
    for (const piece of this.partials.values()) piece.level = levels[piece.index] ?? 0;
    for (const taker of takers) this.#leave(taker);
    this.dropUnwanted();
  }

  /** Gives the memory of pieces back that are not wanted any more and of which nothing comes. */
  dropUnwanted(): void {
    for (const piece of this.partials.values()) {
      if (piece.level === 0 && piece.isIdle) this.#dismiss(piece);
    }
  }

  /** Before a batch of picks. */
  review(now: Instant): void {
    if (this.isUrgent) this.#critical.review(now);
  }

  peerHas(piece: number): void {
    this.#order.increase(piece);
  }

  peerLost(piece: number): void {
    this.#order.decrease(piece);
  }

  /** The next block for `taker`, marked as asked; null when there is nothing for it now. */
  pick(taker: Taker): BlockPick | null {
    const { isUrgent } = this;
    const urgent = isUrgent ? this.#critical.pick(taker) : null;
    if (urgent) return urgent;
    const current = taker.current;
    const isOurs = !isUrgent || !this.#critical.guards(current?.index ?? -1);
    if (current?.hasFree && isOurs) return take(current, taker);
    this.#leave(taker);
    const isFast =
      taker.receiveRate * WHOLE_PIECE_SECONDS >= this.#geometry.pieceLengthBytes ||
      this.partials.size === 0;
    const orphan = this.#joinable(taker, (piece) => piece.workers === 0 || !isFast);
    const isBest = orphan !== null && orphan.level >= this.#order.topLevel;
    const joined =
      (isBest ? null : this.#open(taker, (orphan?.level ?? 0) + 1)) ??
      orphan ??
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
      if (!piece || piece.level === 0 || !isAllowed(piece, taker)) continue;
      for (let block = 0; block < piece.blockCount; block++) {
        const askers = piece.askersOf(block);
        if (askers === 0 || askers >= DUPLICATES_MAX) continue;
        if (taker.isPending(piece.index, block)) continue;
        piece.askAgain(block, taker.peerKey);
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

  /** A piece that was closed comes back: some of its blocks are free again. */
  reopen(piece: PartialPiece): void {
    piece.level = this.#selection.levels[piece.index] ?? 0;
    this.partials.set(piece.index, piece);
  }

  /** Its slab is free again, and if it failed it is wanted again. */
  settle(piece: PartialPiece, isGood: boolean): void {
    this.#giveSlab(piece);
    if (!isGood) {
      this.#order.add(piece.index);
      return;
    }
    this.#suspects.delete(piece.index);
    if (this.isUrgent) this.#critical.onHere(piece.index);
  }

  /** Gives every slab back: the torrent stops. */
  abandon(): void {
    for (const piece of [...this.partials.values()]) this.#dismiss(piece);
  }

  #mayBegin(piece: number, taker: Taker): boolean {
    if (!taker.canTake(piece) || this.#critical.guards(piece)) return false;
    return this.#isTrusted(piece, taker);
  }

  #isTrusted(piece: number, taker: Taker): boolean {
    if (this.#isReady && !this.#isReady(piece)) return false;
    return !this.#suspects.has(piece) || this.#mayIsolate(taker.peerKey);
  }

  /**
   * Begins the first piece in the order that the peer has, of level `lowest` or higher; null when
   * there is none or no slab is free.
   */
  #open(taker: Taker, lowest = 1): PartialPiece | null {
    if (!this.#slabs.canTake(this.#geometry.pieceLengthBytes, this.#held)) return null;
    const index = this.#order.first((piece) => this.#mayBegin(piece, taker), lowest);
    return index < 0 ? null : this.#begin(index, taker);
  }

  /** An urgent piece for `taker`: open, or begun now. */
  #reach(index: number, taker: Taker): PartialPiece | null {
    const open = this.partials.get(index);
    if (open) return open.level > 0 && isAllowed(open, taker) ? open : null;
    if (!this.#order.has(index) || !this.#selection.isWanted(index)) return null;
    if (!taker.canTake(index) || !this.#isTrusted(index, taker)) return null;
    if (!this.#slabs.canTake(this.#geometry.pieceLengthBytes, this.#held)) this.#giveWay();
    return this.#begin(index, taker);
  }

  #begin(index: number, taker: Taker): PartialPiece | null {
    const slab = this.#slabs.take(this.#geometry.pieceLength(index), this.#held);
    if (!slab) return null;
    this.#held++;
    this.#order.remove(index);
    const piece = new PartialPiece(index, slab, this.#selection.levels[index]);
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
    if (this.#order.first((piece) => this.#mayBegin(piece, taker)) < 0) return null;
    return this.#giveWay() ? this.#open(taker) : null;
  }

  /** Gives up the piece that is worth least of those nobody is fetching; false when all are. */
  #giveWay(): boolean {
    let least: PartialPiece | null = null;
    for (const piece of this.partials.values()) {
      if (piece.workers > 0 || !piece.isIdle || this.#critical.guards(piece.index)) continue;
      if (!least || piece.doneCount < least.doneCount) least = piece;
    }
    if (least) this.#dismiss(least);
    return least !== null;
  }

  /** What has come of an open piece is lost; it is wanted again. */
  #dismiss(piece: PartialPiece): void {
    this.partials.delete(piece.index);
    this.#giveSlab(piece);
    this.#order.add(piece.index);
  }

  #giveSlab(piece: PartialPiece): void {
    this.#held--;
    this.#slabs.give(piece.slab);
  }

  /** The open piece of the highest priority that `suits`; of equal ones the one begun first. */
  #joinable(taker: Taker, suits: (piece: PartialPiece) => boolean): PartialPiece | null {
    const enough = this.#order.topLevel;
    let best: PartialPiece | null = null;
    for (const piece of this.partials.values()) {
      if (piece.level <= (best?.level ?? 0) || !piece.hasFree || !suits(piece)) continue;
      if (!isAllowed(piece, taker) || this.#critical.guards(piece.index)) continue;
      best = piece;
      if (piece.level >= enough) break;
    }
    return best;
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
