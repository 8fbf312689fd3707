/**
 * What all selling sessions of a node share: the ask, the market, the book, and what is remembered.
 */
import {
  type Ask,
  type AskEvidence,
  firstAsk,
  type MarketBid,
  nextAsk,
  SellerMarket,
} from '../market/index.ts';
import { type Atto, type AttoPerMib, addAtto, ZERO_ATTO } from '../units/index.ts';
import { GRACE_BYTES_DEFAULT } from './limits.ts';
import { GraceBook, LossBook } from './memory.ts';
import type { SellerBook } from './ports.ts';
import type { Standing } from './session-snapshot.ts';

/** How a node sells. */
export interface SellerOptions {
  readonly ask: Ask;
  /** Payload a newcomer gets before its lane is there. Default 1 MiB. */
  readonly graceBytes?: number;
}

/** A selling session as the desk, the policy and its lanes see it. */
export interface SellingPeer {
  /** Who the peer proved to be; null before its `hello`. */
  readonly identity: string | null;
  readonly standing: Standing;
  /** It would buy at a lower price. */
  readonly isPricedOut: boolean;
  /** For an `ack`, in bytes. */
  readonly terms: { readonly window: number; readonly metered: number };
  /** Its bid as far as it is backed; null when it is not paying. */
  marketBid(): MarketBid | null;
  /** Quotes a price and a share in bytes a second, if that is news. */
  offer(price: AttoPerMib, share: number): void;
  /** A round passed it over. */
  onBarred(): void;
  /** The same buyer took the lane to another connection. */
  loseLane(key: string): void;
}

/** The shop behind the connections. */
export class SellerDesk {
  readonly book: SellerBook;
  readonly market: SellerMarket = new SellerMarket();
  readonly grace: GraceBook;
  readonly losses: LossBook = new LossBook();
  /** By peer key. As many as the engine has connections. */
  readonly sessions: Map<number, SellingPeer> = new Map();
  /** Who uses which lane: a lane belongs to one session at a time. */
  readonly lanes: Map<string, SellingPeer> = new Map();
  #ask: Ask;
  #reserve: AttoPerMib;
  earned: Atto = ZERO_ATTO;
  soldBytes = 0;

  constructor(book: SellerBook, options: SellerOptions) {
    this.book = book;
    this.#ask = options.ask;
    this.#reserve = firstAsk(options.ask);
    this.grace = new GraceBook(options.graceBytes ?? GRACE_BYTES_DEFAULT);
  }

  /** The lowest price we sell at now. */
  get reserve(): AttoPerMib {
    return this.#reserve;
  }

  /** The price a newcomer is quoted: that of the last round. */
  get price(): AttoPerMib {
    return this.market.priceOr(this.#reserve);
  }

  setAsk(ask: Ask): void {
    this.#ask = ask;
    this.#reserve = firstAsk(ask);
  }

  onRoundCleared(evidence: AskEvidence): void {
    this.#reserve = nextAsk(this.#ask, this.#reserve, evidence);
  }

  onEarned(amount: Atto): void {
    this.earned = addAtto(this.earned, amount);
  }
}
