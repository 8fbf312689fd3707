/** What a buyer can lose to one peer: bytes paid for whose piece has not been checked. */
import { BLOCK_BYTES } from '../units/index.ts';
import { DUPLICATE_SHARE, WINDOW_BYTES_MAX } from './limits.ts';

/**
 * Counts received and verified bytes and says how many more may be paid for.
 *
 * Bytes are taken to be verified in the order in which they came, so the unpaid ones are the
 * newest: paid and unverified = unverified - unpaid. It is kept within `bound`, one piece; for a
 * peer that has delivered good pieces, up to the seller's window, as pieces are shared among many
 * peers.
 *
 * No deadlock with the seller's window: the seller stops at `unpaid = window`. The buyer then
 * refuses to pay anything only if `unverified >= bound + window`, so more than a whole piece and a
 * window is here without a single piece being complete. From one source, in order, at most a piece
 * (and what is being hashed) is incomplete. From many, the missing blocks are other peers', and
 * arrive, or are asked of somebody else when the seller's patience ends and it chokes us.
 */
export class Exposure {
  #received = 0;
  #verified = 0;

  onReceived(size: number): void {
    this.#received += size;
  }

  onVerified(size: number): void {
    this.#verified += size;
  }

  get verifiedBytes(): number {
    return this.#verified;
  }

  /** Received and not known to be good. A fiftieth of the good ones may have come twice. */
  get unverifiedBytes(): number {
    const known = Math.floor(this.#verified * (1 + DUPLICATE_SHARE));
    return Math.max(0, this.#received - known);
  }

  /** The most that may be paid for and unverified. */
  bound(terms: { readonly pieceLength: number; readonly window: number }): number {
    const earnedTrust = Math.min(terms.window, this.#verified, WINDOW_BYTES_MAX);
    return Math.max(terms.pieceLength, BLOCK_BYTES, earnedTrust);
  }

  /** Of `unpaid` bytes, how many may be paid for now. */
  payableBytes(unpaid: number, bound: number): number {
    return Math.max(0, Math.min(unpaid, bound - this.unverifiedBytes + unpaid));
  }
}
