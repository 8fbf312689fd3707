/** A peer as the picker sees it, and what the picker gives it. */
import type { Instant } from '../units/index.ts';
import type { PartialPiece } from './partial-piece.ts';

/** Somebody who can be asked for blocks. */
export interface Taker {
  readonly peerKey: number;
  /** Whether this piece may be asked of the peer now. */
  canTake(piece: number): boolean;
  /** Whether it already has an open request for the block. */
  isPending(piece: number, block: number): boolean;
  /** Bytes a second it has been sending. */
  readonly receiveRate: number;
  /** How long a block asked of it now would take, by its rate; `Infinity` when nothing comes. */
  deliveryMs(now: Instant): number;
  /** It owes blocks, and none has come for much longer than usual. */
  isStalled(now: Instant): boolean;
  /** The piece of the block that is coming in from it right now; null between blocks. */
  readonly arrivingPiece: number | null;
  /** Others may fetch that block: the rest of its bytes is thrown away. */
  giveUpArrival(): void;
  /** The piece it fetches as its own; the picker sets it. */
  current: PartialPiece | null;
}

/** A block to ask for. */
export interface BlockPick {
  readonly piece: PartialPiece;
  readonly block: number;
}
