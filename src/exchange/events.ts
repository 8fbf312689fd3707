/** What the exchange tells the outside: for the history, the command line and the log. */
import type { Atto, AttoPerMib } from '../units/index.ts';

/** Whose turn of business an event is about: do we buy or do we sell. */
export type Side = 'buying' | 'selling';

/** Which connection it is about. */
export interface PeerRef {
  readonly peerKey: number;
  /** Lower-case hex info-hash. */
  readonly torrentKey: string;
  /** `host:port` of the other side. */
  readonly remote: string;
}

/** What happened. Amounts are what this event added, never totals. */
export type Happening =
  | { readonly type: 'quote'; readonly side: Side; readonly price: AttoPerMib }
  | { readonly type: 'accepted'; readonly side: Side; readonly price: AttoPerMib }
  | {
      readonly type: 'lane';
      readonly side: Side;
      readonly allotment: string;
      readonly lane: number;
      readonly cap: Atto;
    }
  | { readonly type: 'paid'; readonly amount: Atto }
  | { readonly type: 'earned'; readonly amount: Atto }
  | { readonly type: 'choked-back'; readonly code: string }
  | { readonly type: 'recovered' }
  | { readonly type: 'withdrawn'; readonly side: Side; readonly code: string }
  /** `by` says who refused: we what they sent, or they what we sent. */
  | {
      readonly type: 'refused';
      readonly by: 'us' | 'them';
      readonly code: string;
      readonly text: string;
    };

/** A happening and where. */
export type ExchangeEvent = PeerRef & Happening;
