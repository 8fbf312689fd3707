/** A seller's market over time: a new price every ten seconds, damped, and shares at any moment. */
import {
  type AttoPerMib,
  attoPerMib,
  type BytesPerSecond,
  bytesPerSecond,
  type Instant,
} from '../units/index.ts';
import {
  clearingPrice,
  type MarketBid,
  type MarketShare,
  PRICE_MIN,
  sharesAtPrice,
} from './clearing.ts';

/** The part of the upload that is never for sale. */
export const FREE_SHARE = 0.2;

/** How long a price stands: the choking interval of BEP 3. */
export const CLEARING_INTERVAL_MS = 10_000;

/** What the seller knows when it looks at its market. */
export interface MarketRoundInput {
  readonly now: Instant;
  /** Upload capacity; `Infinity` when there is no limit, and so no scarcity. */
  readonly capacity: BytesPerSecond;
  readonly reserve: AttoPerMib;
  readonly bids: readonly MarketBid[];
}

/** What the market decided. */
export interface MarketRound {
  readonly price: AttoPerMib;
  /** Whether the price was worked out anew in this round. */
  readonly isNewPrice: boolean;
  readonly shares: readonly MarketShare[];
  /** What is left for free peers: at least `FREE_SHARE` of the capacity. */
  readonly freeRate: BytesPerSecond;
}

/**
 * Keeps the price between rounds. It starts at the reserve and moves at most a quarter at a time.
 */
export class SellerMarket {
  #price: AttoPerMib | null = null;
  #clearedAt: Instant | null = null;

  /** The price of the last round, or `reserve` before the first one; never below `reserve`. */
  priceOr(reserve: AttoPerMib): AttoPerMib {
    const floor = reserve > PRICE_MIN ? reserve : PRICE_MIN;
    return this.#price !== null && this.#price > floor ? this.#price : floor;
  }

  /** Works out shares, and first a new price when the last one has stood for its time. */
  round(input: MarketRoundInput): MarketRound {
    const previous = this.priceOr(input.reserve);
    const supply = saleSupply(input.capacity);
    const market = { bids: input.bids, supply, barterPrice: previous };
    const isNewPrice =
      this.#clearedAt === null || input.now - this.#clearedAt >= CLEARING_INTERVAL_MS;
    if (isNewPrice) {
      const target = clearingPrice(market, input.reserve);
      this.#price = dampedPrice({ target, previous, reserve: input.reserve });
      this.#clearedAt = input.now;
    }
    const price = this.priceOr(input.reserve);
    const shares = sharesAtPrice(market, price);
    const sold = shares.reduce((total, share) => total + share.rate, 0);
    // Without a limit "what is left" has no meaning: the caller weighs 80 to 20.
    const freeRate = input.capacity === Infinity ? Infinity : input.capacity - sold;
    return { price, isNewPrice, shares, freeRate: bytesPerSecond(freeRate) };
  }
}

/** Bytes a second for sale out of `capacity`, rounded down, to the benefit of free peers. */
export function saleSupply(capacity: BytesPerSecond): BytesPerSecond {
  return bytesPerSecond(Math.floor(capacity * (1 - FREE_SHARE)));
}

/**
 * `target`, but at most a fifth below and a quarter above `previous`, and never below `reserve`.
 *
 * The lower bound rounds down (the buyer's benefit), the upper one down but to at least one atto
 * more, so that a price of a few atto can still move.
 */
export function dampedPrice(move: {
  readonly target: AttoPerMib;
  readonly previous: AttoPerMib;
  readonly reserve: AttoPerMib;
}): AttoPerMib {
  const lowest = (move.previous * 4n) / 5n;
  const quarter = (move.previous * 5n) / 4n;
  const highest = quarter > move.previous ? quarter : move.previous + 1n;
  const clamped =
    move.target < lowest ? lowest : move.target > highest ? highest : (move.target as bigint);
  return attoPerMib(clamped > move.reserve ? clamped : move.reserve);
}
