/**
 * The buyer's rules: what may be locked and what may be signed, so that paid never passes deposit.
 */
import { type Atto, atto, minAtto, subtractAttoFloor, type UnixSeconds } from '../units/index.ts';
import type { AllotmentHeader, Lane, Voucher } from './types.ts';

/** A lane of one of our own allotments, and how far we have signed. */
export interface PurseLane {
  readonly header: AllotmentHeader;
  readonly lane: Lane;
  /** The highest amount ever signed, whether or not it was sent; zero at first. */
  readonly signed: Atto;
}

/** Why the buyer does not sign. */
export type SigningRefusalCode = 'sign-less' | 'sign-above-cap' | 'sign-expired' | 'sign-budget';

/** Verdict on a voucher before it is signed; `adds` is what it newly puts at stake. */
export type SigningVerdict =
  | { readonly ok: true; readonly adds: Atto }
  | {
      readonly ok: false;
      readonly refusal: { readonly code: SigningRefusalCode; readonly text: string };
    };

const SIGNING_TEXT: Readonly<Record<SigningRefusalCode, string>> = {
  'sign-less': 'a voucher of this lane over a higher amount was signed before',
  'sign-above-cap': 'the amount is above the cap of the lane',
  'sign-expired': 'the allotment has expired',
  'sign-budget': 'the budget is used up',
};

/**
 * The amount of the next voucher: what is owed in all, never less than was signed before and never
 * above the cap. Equal to `signed` when there is nothing to sign.
 */
export function nextVoucherAmount(lane: PurseLane, owed: Atto): Atto {
  const wanted = owed > lane.signed ? owed : lane.signed;
  return minAtto(wanted, lane.lane.cap);
}

/** What the lane can still pay. */
export function laneRemainder(lane: PurseLane): Atto {
  return subtractAttoFloor(lane.lane.cap, lane.signed);
}

/** Whether the purse signs `voucher`; `budgetLeft` is what it may still spend in all. */
export function judgeSigning(
  voucher: Voucher,
  lane: PurseLane,
  purse: { readonly now: UnixSeconds; readonly budgetLeft: Atto },
): SigningVerdict {
  if (voucher.amount < lane.signed) return refuse('sign-less');
  if (voucher.amount > lane.lane.cap) return refuse('sign-above-cap');
  if (purse.now > lane.header.expiry) return refuse('sign-expired');
  const adds = atto(voucher.amount - lane.signed);
  if (adds > purse.budgetLeft) return refuse('sign-budget');
  return { ok: true, adds };
}

function refuse(code: SigningRefusalCode): SigningVerdict {
  return { ok: false, refusal: { code, text: SIGNING_TEXT[code] } };
}
