/**
 * When a buyer tells a seller what it would spend: at first, on a material change, and at the end.
 */
import { type AttoPerMib, attoPerSecond, bytes, type Instant } from '../units/index.ts';
import type { BidMessage } from '../wire/index.ts';

/** How often a bid is sent anew, at most: once a clearing round. */
const REBID_MS = 10_000;

/** A plan for one connection's bid. */
export interface BidPlan {
  readonly now: Instant;
  readonly maxPrice: AttoPerMib;
  /** Atto a second. */
  readonly rate: bigint;
}

/** The bids of one connection. */
export class Bidding {
  #sequence = 0;
  #standing: { readonly rate: bigint; readonly at: Instant } | null = null;

  /** Whether a bid stands. */
  get isOpen(): boolean {
    return this.#standing !== null;
  }

  /** The bid to send; null when the one that stands is new, or within a quarter of the plan. */
  next(plan: BidPlan): BidMessage | null {
    const rate = plan.rate > 0n ? plan.rate : 1n;
    const standing = this.#standing;
    if (standing) {
      if (plan.now - standing.at < REBID_MS) return null;
      const change = rate > standing.rate ? rate - standing.rate : standing.rate - rate;
      if (change * 4n <= standing.rate) return null;
    }
    this.#standing = { rate, at: plan.now };
    return this.#message(rate, plan.maxPrice);
  }

  /** The bid of zero that ends the bidding. */
  end(maxPrice: AttoPerMib): BidMessage {
    this.#standing = null;
    return this.#message(0n, maxPrice);
  }

  #message(rate: bigint, maxPrice: AttoPerMib): BidMessage {
    const sequence = ++this.#sequence;
    // A rate of zero means as fast as it goes.
    return { type: 'bid', budget: attoPerSecond(rate), maxPrice, rate: bytes(0), sequence };
  }
}
