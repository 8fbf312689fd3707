/**
 * Allotments, lanes and vouchers: the rules by which bandwidth is paid for, as pure arithmetic.
 *
 * It must never learn where a voucher came from, what time it is, or how a transaction is sent.
 * Start with `types.ts` for the nouns, then `lane-tree.ts` and `judge-voucher.ts`.
 *
 * @module
 */
export type {
  AllotmentHeader,
  EscrowDomain,
  Lane,
  LaneOffer,
  PathStep,
  SignedVoucher,
  Voucher,
} from './types.ts';
