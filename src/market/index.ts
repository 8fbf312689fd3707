/**
 * Decisions of a bandwidth market as pure arithmetic: what upload costs, who gets how much of it,
 * what a seller asks and how a buyer spreads its money.
 *
 * It must never learn what a connection, a voucher or a torrent is. Start with `clearing.ts`,
 * then `seller-market.ts` for the seller and `spend-plan.ts` for the buyer.
 *
 * @module
 */
export { type Ask, type AskEvidence, firstAsk, nextAsk } from './ask.ts';
export {
  clearingPrice,
  type MarketBid,
  type MarketShare,
  type MarketSupply,
  PRICE_MIN,
  sharesAtPrice,
} from './clearing.ts';
export {
  type FreeCandidate,
  FreePool,
  type FreePoolRound,
  type FreeShare,
  OPTIMISTIC_TURN_MS,
} from './free-pool.ts';
export { networkPrefix } from './network-prefix.ts';
export {
  CLEARING_INTERVAL_MS,
  dampedPrice,
  FREE_SHARE,
  type MarketRound,
  type MarketRoundInput,
  SellerMarket,
  saleSupply,
} from './seller-market.ts';
export {
  type LaneResult,
  REBALANCE_INTERVAL_MS,
  SHARE_UNIT,
  type SpendLimits,
  SpendPlan,
  spendingRate,
} from './spend-plan.ts';
