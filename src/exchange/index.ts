/**
 * Where money meets bytes: the `bw_pay` extension, which joins the engine's blocks, the market's
 * decisions and the payment layer's vouchers.
 *
 * It must never hold a key, read a clock, open anything, or choose a piece. Start with the head of
 * `seller-session.ts` and of `buyer-session.ts`, which describe a session from both sides; then
 * `paid-policy.ts` for who is served. Every bound is in `limits.ts`.
 *
 * @module
 */
export type { BuyerOptions, RemainingBytes } from './buyer-desk.ts';
export type { ExchangeEvent, Happening, PeerRef, Side } from './events.ts';
export {
  createExchange,
  type Exchange,
  type ExchangeDependencies,
  type ExchangeOptions,
  type ExchangeSnapshot,
  type PeerSnapshot,
} from './exchange.ts';
export type {
  BuyerPurse,
  LaneAdmission,
  LaneGrant,
  PaymentContext,
  Refusal,
  SellerBook,
  SessionIdentity,
  SignOutcome,
  VoucherOutcome,
} from './ports.ts';
export type { SellerOptions } from './seller-desk.ts';
export type { BuyingSnapshot, SellingSnapshot, Standing } from './session-snapshot.ts';
