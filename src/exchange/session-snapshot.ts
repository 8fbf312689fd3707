/** One connection's trade as plain values, for the status page. */
import type { Atto, AttoPerMib } from '../units/index.ts';

/** How the upload policy should treat a peer. */
export type Standing = 'paying' | 'waiting' | 'barred' | 'free';

/** What the status page shows of a buying session. */
export interface BuyingSnapshot {
  readonly state: 'idle' | 'bidding' | 'buying' | 'stopped';
  /** The latest quote; null before. */
  readonly quoted: AttoPerMib | null;
  readonly owed: Atto;
  readonly paid: Atto;
  readonly boughtBytes: number;
  /** Bought and not paid for yet. */
  readonly unpaidBytes: number;
  /** What we can lose: received and not verified, of which at most the bound is paid for. */
  readonly unverifiedBytes: number;
  readonly boundBytes: number;
}

/** What the status page shows of a selling session. */
export interface SellingSnapshot {
  readonly standing: Standing;
  /** Price of what is being sold; null when nothing is. */
  readonly price: AttoPerMib | null;
  readonly owed: Atto;
  readonly earned: Atto;
  readonly soldBytes: number;
  /** What we can lose: delivered and not paid for. */
  readonly unpaidBytes: number;
  /** And the bound on it. */
  readonly windowBytes: number;
}
