/** The seller's rules: which lanes it takes, and which vouchers it extends credit against. */
import {
  type Address,
  type Atto,
  atto,
  type Hash32,
  type UnixSeconds,
  ZERO_ADDRESS,
  ZERO_ATTO,
} from '../units/index.ts';
import type { EscrowDigests } from './digests.ts';
import type { KnownSigners } from './known-signers.ts';
import { type PathRefusal, verifyLanePath } from './lane-tree.ts';
import { isCanonicalSignature } from './secp256k1.ts';
import type { LaneOffer, SignedVoucher } from './types.ts';

/** Seconds before expiry at which a seller claims, and stops taking vouchers. */
export const CLAIM_MARGIN_SECONDS: number = 2 * 3600;

/** A lane must have this long to live to be taken: an hour to earn before the claim margin. */
export const LANE_LIFE_SECONDS_MIN: number = CLAIM_MARGIN_SECONDS + 3600;

/** A lane the seller has checked and written down. */
export interface LaneEntry {
  readonly allotment: Hash32;
  readonly lane: number;
  /** Whose signature a voucher needs. Never zero. */
  readonly signer: Address;
  readonly cap: Atto;
  readonly expiry: UnixSeconds;
  /** The highest voucher on disk; zero at first. */
  readonly best: Atto;
}

/** Why a lane is not taken. Codes travel in `error` messages and never change. */
export type LaneRefusalCode =
  | 'lane-not-mine'
  | 'lane-empty'
  | 'lane-signer'
  | 'lane-expiry'
  | PathRefusal;

/** Why a voucher is not taken. Codes travel in `error` messages and never change. */
export type VoucherRefusalCode =
  | 'voucher-unknown-lane'
  | 'voucher-above-cap'
  | 'voucher-not-more'
  | 'voucher-too-small'
  | 'voucher-expired'
  | 'voucher-malformed'
  | 'voucher-signature';

/** A refusal with one plain line about it. */
export interface Refusal<Code extends string> {
  readonly code: Code;
  readonly text: string;
}

/** Verdict on a lane as far as it can be given without the chain. */
export type LaneVerdict =
  | { readonly ok: true; readonly entry: LaneEntry }
  | { readonly ok: false; readonly refusal: Refusal<LaneRefusalCode> };

/** Verdict on a voucher: what the lane is worth once it is on disk. */
export type VoucherVerdict =
  | { readonly ok: true; readonly entry: LaneEntry; readonly gained: Atto }
  | { readonly ok: false; readonly refusal: Refusal<VoucherRefusalCode> };

/** What a seller judges vouchers with. */
export interface VoucherRules {
  readonly now: UnixSeconds;
  readonly digests: EscrowDigests;
  readonly signers: KnownSigners;
  /** A voucher must add this much, unless it reaches the cap: bounds the signatures to check. */
  readonly incrementMin: Atto;
}

const LANE_TEXT: Readonly<Record<LaneRefusalCode, string>> = {
  'lane-not-mine': 'the lane pays another payee than the one in my hello',
  'lane-empty': 'the lane has a cap of zero',
  'lane-signer': 'the allotment has no signer',
  'lane-expiry': 'the allotment expires too soon: it needs at least three hours',
  'path-header': 'the header has a depth or a lane count that cannot be',
  'path-length': 'the path is not as long as the depth of the tree',
  'path-index': 'the lane index does not fit the depth of the tree',
  'path-lane-count': 'the lane index is not below the lane count',
  'path-overflow': 'sums on the path exceed 128 bits',
  'path-sum': 'sums on the path do not add up to the sum of the header',
  'path-root': 'the path does not lead to the root of the header',
};

const VOUCHER_TEXT: Readonly<Record<VoucherRefusalCode, string>> = {
  'voucher-unknown-lane': 'no such lane was offered and taken here',
  'voucher-above-cap': 'the amount is above the cap of the lane',
  'voucher-not-more': 'the amount is not above the best voucher of the lane',
  'voucher-too-small': 'the amount adds too little to the best voucher of the lane',
  'voucher-expired': 'the allotment is about to expire: offer a lane of another one',
  'voucher-malformed': 'the signature is not 65 bytes r, s, v with low s and v 27 or 28',
  'voucher-signature': 'the signature is not of the signer of the allotment',
};

/**
 * Judges all of a lane that needs no chain: mine, alive, provable.
 *
 * The seller must still read `head[allotment]` at depth and compare it with `headerHash`, and see
 * that
 * the lane's bit is not set, before it serves a byte against the entry.
 */
export function judgeLane(
  offer: LaneOffer,
  seller: { readonly payee: Address; readonly now: UnixSeconds },
): LaneVerdict {
  const { header, lane } = offer;
  if (lane.payee !== seller.payee) return refuseLane('lane-not-mine');
  if (lane.cap === ZERO_ATTO) return refuseLane('lane-empty');
  if (header.signer === ZERO_ADDRESS) return refuseLane('lane-signer');
  if (header.expiry - seller.now < LANE_LIFE_SECONDS_MIN) return refuseLane('lane-expiry');
  const path = verifyLanePath(header, lane, offer.path);
  if (!path.ok) return refuseLane(path.refusal);
  const entry: LaneEntry = {
    allotment: offer.allotment,
    lane: lane.index,
    signer: header.signer,
    cap: lane.cap,
    expiry: header.expiry,
    best: ZERO_ATTO,
  };
  return { ok: true, entry };
}

/** Judges a voucher against its lane, cheap checks first and the signature last. */
export function judgeVoucher(
  signed: SignedVoucher,
  entry: LaneEntry | undefined,
  rules: VoucherRules,
): VoucherVerdict {
  const { voucher, signature } = signed;
  if (!entry || entry.allotment !== voucher.allotment || entry.lane !== voucher.lane) {
    return refuseVoucher('voucher-unknown-lane');
  }
  if (voucher.amount > entry.cap) return refuseVoucher('voucher-above-cap');
  if (voucher.amount <= entry.best) return refuseVoucher('voucher-not-more');
  const gained = atto(voucher.amount - entry.best);
  if (gained < rules.incrementMin && voucher.amount < entry.cap) {
    return refuseVoucher('voucher-too-small');
  }
  if (entry.expiry - rules.now < CLAIM_MARGIN_SECONDS) return refuseVoucher('voucher-expired');
  if (!isCanonicalSignature(signature)) return refuseVoucher('voucher-malformed');
  const digest = rules.digests.voucher(voucher);
  if (!rules.signers.hasSigned(entry.signer, digest, signature)) {
    return refuseVoucher('voucher-signature');
  }
  return { ok: true, entry: { ...entry, best: voucher.amount }, gained };
}

function refuseLane(code: LaneRefusalCode): LaneVerdict {
  return { ok: false, refusal: { code, text: LANE_TEXT[code] } };
}

function refuseVoucher(code: VoucherRefusalCode): VoucherVerdict {
  return { ok: false, refusal: { code, text: VOUCHER_TEXT[code] } };
}
