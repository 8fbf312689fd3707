/**
 * Pieces that somebody waits for. Their blocks are asked for first, in order of time, of peers that
 * will have them here in time; and once more of a faster peer when the first one will be late.
 */
import type { Instant } from '../units/index.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { BlockPick, Taker } from './taker.ts';

/** A piece and when it should be here. */
export interface Deadline {
  readonly piece: number;
  readonly at: Instant;
}

/** What it needs of the picker. */
export interface CriticalSource {
  readonly partials: ReadonlyMap<number, PartialPiece>;
  /** The open piece if the peer may give blocks of it, begun if need be; else null. */
  reach(piece: number, taker: Taker): PartialPiece | null;
}

/** Open requests for one block at most. */
export const DUPLICATES_MAX = 3;

/** A new piece due within so long is asked for at once; others can wait for room. */
const FRESH_MS = 100;
/** A piece due within so long is not given up for another one. */
const SOON_MS = 1_000;
/** So long after its time, a piece shows that the peers do not keep up. */
const OVERDUE_MS = 1_000;
/** Pieces looked at for each pick; those due later are fetched in the usual order. */
const WINDOW = 32;
/** How often peers are compared. */
const REVIEW_MS = 100;
/** Late blocks remembered between two reviews. */
const LATE_MAX = 256;
/** A peer so many times slower than the fastest that has a piece leaves it alone when late. */
const SLOWER = 2;
/** A block is asked of a second peer when that would take so many times less. */
const SOONER = 2;

interface Due extends Deadline {
  /** Bytes a second of the fastest peer that may give it now; 0 when none has sent anything. */
  bestRate: number;
}

interface LateBlock {
  readonly piece: PartialPiece;
  readonly block: number;
  readonly at: Instant;
  /** Expected of the peer that was asked last. */
  readonly deliveryMs: number;
}

/** The time-critical pieces of one torrent. */
export class TimeCritical {
  readonly #source: CriticalSource;
  readonly #takers: () => Iterable<Taker>;
  /** By time. */
  #due: Due[] = [];
  #late: LateBlock[] = [];
  /** Pieces that were not in the list before the last `replace`, and are due at once. */
  #fresh: readonly Due[] = [];
  /** The pieces of the window: nobody fetches them in the usual order. */
  readonly #guarded = new Set<number>();
  #now = 0;
  #reviewedAt = -Infinity;

  constructor(source: CriticalSource, takers: () => Iterable<Taker>) {
    this.#source = source;
    this.#takers = takers;
  }

  get isEmpty(): boolean {
    return this.#due.length === 0;
  }

  /** Whether `piece` is asked for by time alone. */
  guards(piece: number): boolean {
    return this.#guarded.has(piece);
  }

  /** Whether `piece` has to be here within a second. */
  isDueSoon(piece: number, now: Instant): boolean {
    return this.#due.some((due) => due.piece === piece && due.at - now < SOON_MS);
  }

  /** Whether the first piece should have been here a while ago. */
  isLate(now: Instant): boolean {
    const [first] = this.#due;
    return first !== undefined && now - first.at > OVERDUE_MS;
  }

  /**
   * Replaces the list. Of a piece named twice the earlier time counts. True when a piece is new, or
   * wanted sooner than before, and due at once.
   */
  replace(deadlines: Iterable<Deadline>, now: Instant): boolean {
    const named = new Set<number>();
    const before = new Map(this.#due.map(({ piece, at }) => [piece, at]));
    this.#due = [];
    for (const { piece, at } of [...deadlines].sort((a, b) => a.at - b.at)) {
      if (named.has(piece)) continue;
      named.add(piece);
      this.#due.push({ piece, at, bestRate: 0 });
    }
    this.#late = [];
    this.#reviewedAt = -Infinity;
    this.#guard();
    const isNew = ({ piece, at }: Deadline): boolean => (before.get(piece) ?? Infinity) > at;
    this.#fresh = this.#due.filter((due) => due.at - now <= FRESH_MS && isNew(due));
    return this.#fresh.length > 0;
  }

  /** A free block of a piece that is new in the list and due at once. */
  pickFresh(taker: Taker): BlockPick | null {
    for (const due of this.#fresh) {
      if (this.#isTooSlow(taker, due)) continue;
      const piece = this.#source.reach(due.piece, taker);
      if (piece?.hasFree) return { piece, block: piece.askNext(taker.peerKey) };
    }
    return null;
  }

  /** The piece is here. */
  onHere(piece: number): void {
    const at = this.#due.findIndex((due) => due.piece === piece);
    if (at < 0) return;
    this.#due.splice(at, 1);
    this.#guard();
  }

  /** Compares peers, some times a second, and finds the blocks that will be late. */
  review(now: Instant): void {
    if (now - this.#reviewedAt < REVIEW_MS) return;
    this.#reviewedAt = now;
    this.#now = now;
    const takers = [...this.#takers()];
    const byKey = new Map(takers.map((taker) => [taker.peerKey, taker]));
    this.#late = [];
    for (const due of this.#window()) {
      due.bestRate = 0;
      for (const taker of takers) {
        if (taker.receiveRate <= due.bestRate || taker.isStalled(now)) continue;
        if (taker.canTake(due.piece)) due.bestRate = taker.receiveRate;
      }
      const piece = this.#source.partials.get(due.piece);
      if (piece && !piece.hasFree) this.#findLate(piece, due, byKey);
    }
    for (const taker of takers) this.#freeArrival(taker, now);
  }

  /** The block to ask `taker` for now; null when it has no part in what is urgent. */
  pick(taker: Taker): BlockPick | null {
    const late = this.#late.length === 0 ? null : this.#findFor(taker);
    for (let nth = 0; nth < this.#due.length && nth < WINDOW; nth++) {
      const due = this.#due[nth];
      if (!due || (late && late.at <= due.at)) break;
      if (this.#isTooSlow(taker, due)) continue;
      const piece = this.#source.reach(due.piece, taker);
      if (piece?.hasFree) return { piece, block: piece.askNext(taker.peerKey) };
    }
    if (!late) return null;
    this.#late.splice(this.#late.indexOf(late), 1);
    late.piece.askAgain(late.block, taker.peerKey);
    return { piece: late.piece, block: late.block };
  }

  /** Late, while others are much faster. A peer that never sent anything is tried elsewhere. */
  #isTooSlow(taker: Taker, due: Due): boolean {
    if (taker.receiveRate * SLOWER >= due.bestRate) return false;
    return this.#now + taker.deliveryMs(this.#now as Instant) > due.at;
  }

  #findLate(piece: PartialPiece, due: Due, byKey: ReadonlyMap<number, Taker>): void {
    for (let block = 0; block < piece.blockCount && this.#late.length < LATE_MAX; block++) {
      if (!mayAskAgain(piece, block)) continue;
      const asked = byKey.get(piece.peerOf(block));
      const deliveryMs = asked?.deliveryMs(this.#now as Instant) ?? Infinity;
      if (this.#now + deliveryMs <= due.at) continue;
      this.#late.push({ piece, block, at: due.at, deliveryMs });
    }
  }

  #findFor(taker: Taker): LateBlock | null {
    const deliveryMs = taker.deliveryMs(this.#now as Instant);
    for (const late of this.#late) {
      const { piece, block } = late;
      if (deliveryMs * SOONER >= late.deliveryMs || !mayAskAgain(piece, block)) continue;
      if (taker.isPending(piece.index, block) || !piece.isFor(taker.peerKey)) continue;
      if (taker.canTake(piece.index)) return late;
    }
    return null;
  }

  /** A peer that stopped in the middle of an urgent block must not keep it from others. */
  #freeArrival(taker: Taker, now: Instant): void {
    const index = taker.arrivingPiece;
    if (index === null || !taker.isStalled(now)) return;
    const due = this.#due.find(({ piece }) => piece === index);
    if (due && due.bestRate > 0) taker.giveUpArrival();
  }

  #window(): readonly Due[] {
    return this.#due.length <= WINDOW ? this.#due : this.#due.slice(0, WINDOW);
  }

  #guard(): void {
    this.#guarded.clear();
    for (const { piece } of this.#window()) this.#guarded.add(piece);
  }
}

function mayAskAgain(piece: PartialPiece, block: number): boolean {
  const askers = piece.askersOf(block);
  return askers > 0 && askers < DUPLICATES_MAX;
}
