/**
 * What the exchange needs from outside the transfer loop: a purse that reserves and signs, and a
 * book that checks and remembers. Answers come later by callback, in the order of the calls.
 */
import type { LaneOffer, SignedVoucher, Voucher } from '../payment/index.ts';
import type { Address, Atto } from '../units/index.ts';

/** Why a lane or voucher was not taken; sent to the peer in an `error` message. */
export type Refusal = { readonly code: string; readonly text: string };

/**
 * A lane the payer's allotment holds for one payee. `signed` is the highest amount ever signed on
 * it, zero for a new lane: vouchers are cumulative, and a lane may serve one session after another.
 */
export type LaneGrant =
  | { readonly ok: true; readonly offer: LaneOffer; readonly signed: Atto }
  | { readonly ok: false; readonly refusal: Refusal };

/** A voucher ready to be sent, or the reason there is none (budget used up, purse closed …). */
export type SignOutcome =
  | { readonly ok: true; readonly signed: SignedVoucher }
  | { readonly ok: false; readonly refusal: Refusal };

/** Where a payment belongs, for the history. */
export interface PaymentContext {
  /** Lower-case hex info-hash. */
  readonly torrentKey: string;
  /** `host:port` of the other side. */
  readonly remote: string;
  /** Payload bytes this session has moved under payment so far. */
  readonly paidBytes: number;
}

/** The buyer's money. */
export interface BuyerPurse {
  /**
   * Reserves up to `cap` for `payee`. Requests that arrive within a few seconds of each other share
   * one allotment. Answered when the allotment is on the chain at depth.
   */
  requestLane(payee: Address, cap: Atto, done: (grant: LaneGrant) => void): void;
  /** Signs a cumulative voucher; it is durable here before `done` is called. */
  signVoucher(voucher: Voucher, context: PaymentContext, done: (out: SignOutcome) => void): void;
  /** The lane's session ended: what is left of its cap may go to the same payee again. */
  releaseLane(allotment: string, lane: number): void;
}

/** The seller's verdict on a lane: the best amount it holds on it already, or a refusal. */
export type LaneAdmission =
  | { readonly ok: true; readonly earned: Atto }
  | { readonly ok: false; readonly refusal: Refusal };

/** The seller's verdict on a voucher, given after it is on disk. */
export type VoucherOutcome =
  | { readonly ok: true; readonly earned: Atto }
  | { readonly ok: false; readonly refusal: Refusal };

/** The seller's records. */
export interface SellerBook {
  /** Checks path, cap, expiry and the header on the chain, and remembers the lane. */
  admitLane(offer: LaneOffer, done: (admission: LaneAdmission) => void): void;
  /** Checks a voucher's signature and progress, and makes it durable before `done`. */
  acceptVoucher(
    signed: SignedVoucher,
    context: PaymentContext,
    done: (outcome: VoucherOutcome) => void,
  ): void;
}

/** Keys of this node as the exchange sees them: it never holds a private key itself. */
export interface SessionIdentity {
  readonly chainId: number;
  readonly escrow: Address;
  /** Where earnings go. */
  readonly payee: Address;
  /** Signs the digest that binds the payee key to one connection. 65 bytes, v = 27 or 28. */
  bind(digest: Uint8Array): Uint8Array;
}
