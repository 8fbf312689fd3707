/**
 * The clearing price of upload bandwidth and what every bidder gets at it: uniform-price Kelly with
 * a reserve, demand caps, price caps and payment in kind.
 *
 *     barter credit   w'_i = w_i + p_prev * r_i
 *     demand          x_i(p) = min(d_i, w'_i / p), its cash part 0 where p > b_i
 *     clearing price  p* = min { p >= p_min : sum x_i(p) <= supply }
 *     personal price  p* * w_i / w'_i
 *
 * Splitting an identity changes nothing, because only sums of bids matter (Johari and Tsitsiklis,
 * 2004, for the 3/4 efficiency bound).
 */
import {
  type AttoPerMib,
  type AttoPerSecond,
  assert,
  attoPerMib,
  type BytesPerSecond,
  bytesPerSecond,
  MIB,
} from '../units/index.ts';

/** One bidder. */
export interface MarketBid {
  /** Names the bidder in the result; unique in a round. */
  readonly key: number;
  /** Cash it would spend. */
  readonly budget: AttoPerSecond;
  /** Above this price its cash stays away. */
  readonly maxPrice: AttoPerMib;
  /** The most it can use; `Infinity` means as fast as it goes. */
  readonly maxRate: BytesPerSecond;
  /** Unpaid verified bytes received from it: counted as payment in kind at the last price. */
  readonly barterRate: BytesPerSecond;
}

/** What a bidder gets. */
export interface MarketShare {
  readonly key: number;
  /** Whole bytes a second. */
  readonly rate: BytesPerSecond;
  /** What it pays per MiB: the clearing price times the cash part of its bid, rounded up. */
  readonly price: AttoPerMib;
}

/** A set of bids and what is for sale. */
export interface MarketSupply {
  readonly bids: readonly MarketBid[];
  /** Bytes a second for sale; `Infinity` when nothing is scarce. */
  readonly supply: BytesPerSecond;
  /** At what price received bytes count as payment: that of the round before. */
  readonly barterPrice: AttoPerMib;
}

/** The lowest price there is: at zero, demand would be infinite. */
export const PRICE_MIN: AttoPerMib = attoPerMib(1n);

/** Above any real rate and far below 2^53, so that sums of shares stay exact. */
const RATE_MAX = 2 ** 43;

const MIB_BIG = BigInt(MIB);

/**
 * The lowest price at or above `reserve` at which demand fits into the supply, by bisection.
 *
 * Where all of the excess belongs to bidders who stop exactly at one price, that price clears and
 * `sharesAtPrice` rations them. Without scarcity it is `reserve`, a posted price.
 */
export function clearingPrice(market: MarketSupply, reserve: AttoPerMib): AttoPerMib {
  const { supply } = market;
  const bidders = market.bids.map((bid) => toBidder(bid, market.barterPrice));
  let low: bigint = reserve > PRICE_MIN ? reserve : PRICE_MIN;
  if (totalDemand(bidders, low, supply) <= supply) return attoPerMib(low);

  // Ends: once the price is above a bidder's money times a MiB it demands less than a byte.
  let high = low * 2n;
  while (totalDemand(bidders, high, supply) > supply) high *= 2n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (totalDemand(bidders, middle, supply) > supply) low = middle;
    else high = middle;
  }
  return attoPerMib(canRationAt(bidders, low, supply) ? low : high);
}

/**
 * Shares at a given price. Where demand exceeds the supply, bidders whose limit is this very price
 * give way first, in proportion; then everybody, in proportion.
 *
 * Rates round down to whole bytes, so the sum never exceeds the supply. Personal prices round up,
 * to the seller's benefit, and never above `price`.
 */
export function sharesAtPrice(market: MarketSupply, price: AttoPerMib): readonly MarketShare[] {
  assert(price >= PRICE_MIN, 'market price of zero');
  const bidders = market.bids.map((bid) => toBidder(bid, market.barterPrice));
  const wanted = bidders.map((bidder) => demand(bidder, price));
  const firm = bidders.map((bidder) => firmDemand(bidder, price));
  const firmTotal = sum(firm);
  const flexibleTotal = sum(wanted) - firmTotal;

  const forFlexible = Math.max(0, market.supply - firmTotal);
  const flexiblePart = flexibleTotal > forFlexible ? forFlexible / flexibleTotal : 1;
  const firmPart = firmTotal > market.supply ? market.supply / firmTotal : 1;
  return bidders.map((bidder, at) => {
    const firmRate = firm[at] ?? 0;
    const flexibleRate = (wanted[at] ?? 0) - firmRate;
    const rate = Math.floor(firmRate * firmPart + flexibleRate * flexiblePart);
    return { key: bidder.key, rate: bytesPerSecond(rate), price: personalPrice(bidder, price) };
  });
}

/** A bid with everything turned into atto a second. */
interface Bidder {
  readonly key: number;
  readonly cash: bigint;
  readonly barter: bigint;
  readonly maxPrice: bigint;
  readonly maxRate: number;
}

/** The value of barter rounds down, to the benefit of those who pay cash. */
function toBidder(bid: MarketBid, barterPrice: AttoPerMib): Bidder {
  const received = BigInt(Math.floor(Math.min(bid.barterRate, RATE_MAX)));
  return {
    key: bid.key,
    cash: bid.budget,
    barter: (received * barterPrice) / MIB_BIG,
    maxPrice: bid.maxPrice,
    maxRate: Math.floor(Math.min(bid.maxRate, RATE_MAX)),
  };
}

/** Whole bytes a second wanted at `price`, rounded down. Falls as the price rises. */
function demand(bidder: Bidder, price: bigint): number {
  const money = bidder.barter + (price <= bidder.maxPrice ? bidder.cash : 0n);
  return affordable(bidder, money, price);
}

/** Demand that does not disappear just above `price`: all but the cash of those who stop at it. */
function firmDemand(bidder: Bidder, price: bigint): number {
  if (price !== bidder.maxPrice) return demand(bidder, price);
  return affordable(bidder, bidder.barter, price);
}

function affordable(bidder: Bidder, money: bigint, price: bigint): number {
  return Math.min(bidder.maxRate, Number((money * MIB_BIG) / price));
}

/**
 * Demand as the price search sees it. Nobody can use more than all that is for sale: without this
 * cap a lone bidder would bid against itself.
 */
function totalDemand(bidders: readonly Bidder[], price: bigint, supply: number): number {
  let total = 0;
  for (const bidder of bidders) total += Math.min(supply, demand(bidder, price));
  return total;
}

/** Whether demand at `price` is too large only because of those who would pay no more than it. */
function canRationAt(bidders: readonly Bidder[], price: bigint, supply: number): boolean {
  if (!bidders.some((bidder) => bidder.maxPrice === price && bidder.cash > 0n)) return false;
  return sum(bidders.map((bidder) => firmDemand(bidder, price))) <= supply;
}

/** `price` times the cash part of the bid, rounded up; zero when only barter is left. */
function personalPrice(bidder: Bidder, price: AttoPerMib): AttoPerMib {
  if (price > bidder.maxPrice || bidder.cash === 0n) return attoPerMib(0n);
  const money = bidder.cash + bidder.barter;
  return attoPerMib((price * bidder.cash + money - 1n) / money);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
