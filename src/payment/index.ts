/**
 * Allotments, lanes and vouchers: the rules by which bandwidth is paid for, as pure arithmetic.
 *
 * It must never learn where a voucher came from, what time it is, or how a transaction is sent.
 * Start with `types.ts` for the nouns, then `lane-tree.ts` and `lane-book.ts`.
 *
 * @module
 */
export {
  expiryAfter,
  GATHER_TIMES,
  type GatherTimes,
  isAllotmentDue,
  type LaneWish,
  planLanes,
  TERM_DAYS_DEFAULT,
  TERM_DAYS_MAX,
  TERM_DAYS_MIN,
} from './allotment-plan.ts';
export {
  CLAIM_GAS_BASE,
  CLAIM_GAS_PER_LANE,
  CLAIM_LANES_MAX,
  CLAIM_WORTH_FACTOR,
  type ClaimCandidate,
  type ClaimCosts,
  gasShareOf,
  isWorthClaiming,
  planClaims,
} from './claim-plan.ts';
export {
  type ConnectionBinding,
  DOMAIN_NAME,
  DOMAIN_VERSION,
  EscrowDigests,
  type Keccak256,
} from './digests.ts';
export { allotmentId, headerHash } from './header.ts';
export { claimableSignature, KnownSigners } from './known-signers.ts';
export {
  CLAIM_MARGIN_SECONDS,
  judgeLane,
  judgeVoucher,
  LANE_LIFE_SECONDS_MIN,
  type LaneEntry,
  type LaneRefusalCode,
  type LaneVerdict,
  type Refusal,
  type VoucherRefusalCode,
  type VoucherRules,
  type VoucherVerdict,
} from './lane-book.ts';
export {
  buildLaneTree,
  LANES_MAX,
  type LaneTree,
  type PathOutcome,
  type PathRefusal,
  TREE_DEPTH_MAX,
  verifyLanePath,
} from './lane-tree.ts';
export { PaymentError, type PaymentErrorCode } from './payment-error.ts';
export {
  judgeSigning,
  laneRemainder,
  nextVoucherAmount,
  type PurseLane,
  type SigningRefusalCode,
  type SigningVerdict,
} from './purse-rules.ts';
export {
  addressOfPublicKey,
  isCanonicalSignature,
  joinSignature,
  nobleSecp256k1,
  requireKey,
  type Secp256k1,
  SIGNATURE_BYTES,
} from './secp256k1.ts';
export type {
  AllotmentHeader,
  EscrowDomain,
  Lane,
  LaneOffer,
  PathStep,
  SignedVoucher,
  Voucher,
} from './types.ts';
