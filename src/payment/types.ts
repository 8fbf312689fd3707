/** The nouns of payment: allotment, lane, voucher. Glossary: `docs/glossary.md`. */
import type { Address, Atto, Hash32, UnixSeconds } from '../units/index.ts';

/** Which contract on which chain: what every signature is bound to (EIP-712 domain). */
export interface EscrowDomain {
  readonly chainId: number;
  readonly escrow: Address;
}

/** What `open` put on the chain; its hash is what the contract keeps. */
export interface AllotmentHeader {
  readonly payer: Address;
  /** Root hash of the Merkle-sum tree over the lanes. */
  readonly root: Hash32;
  /** What the contract locked: exactly the tree's sum. */
  readonly sum: Atto;
  /** Last second at which a lane can be claimed. */
  readonly expiry: UnixSeconds;
  /** The hot key that signs vouchers. Not the funding key. */
  readonly signer: Address;
  /** Levels above the leaves, 0 … 7. */
  readonly depth: number;
  /** Lanes in use, 1 … 128. */
  readonly laneCount: number;
}

/** One payee's reserved part of an allotment. */
export interface Lane {
  readonly index: number;
  readonly payee: Address;
  readonly cap: Atto;
}

/** A sibling on the way from a leaf to the root. */
export interface PathStep {
  readonly hash: Hash32;
  readonly sum: Atto;
}

/** All a payee needs to check its lane against the chain, and later to claim it. */
export interface LaneOffer {
  readonly allotment: Hash32;
  readonly header: AllotmentHeader;
  readonly lane: Lane;
  /** Siblings from the leaf upward; exactly `header.depth` of them. */
  readonly path: readonly PathStep[];
}

/** The payer's statement that a lane has earned `amount` so far. Cumulative. */
export interface Voucher {
  readonly allotment: Hash32;
  readonly lane: number;
  readonly amount: Atto;
}

/** A voucher with the 65-byte `r | s | v` signature of the allotment's signer, v = 27 or 28. */
export interface SignedVoucher {
  readonly voucher: Voucher;
  readonly signature: Uint8Array;
}
