/**
 * The messages of the `bw_pay` extension as values. Specification: `docs/bep-bandwidth-market.md`.
 * Bytes are read and written in `codec.ts`.
 */
import type {
  Address,
  Atto,
  AttoPerMib,
  AttoPerSecond,
  Bytes,
  Hash32,
  UnixSeconds,
} from '../../units/index.ts';

/** The version this implementation speaks; both sides use the lower of the two `hello`s. */
export const BW_PAY_VERSION = 1;

/** Name in the BEP 10 handshake's `m` dictionary. */
export const BW_PAY_NAME = 'bw_pay';

/** No message is longer. A lane with a path of seven steps takes about 700 bytes. */
export const BW_PAY_MESSAGE_BYTES_MAX: number = 4096;

/** Longest error code and error text in bytes. */
export const BW_PAY_CODE_BYTES_MAX = 64;
export const BW_PAY_TEXT_BYTES_MAX = 256;

/** Largest price, reserve and budget: what 12 bytes hold, 79 billion BTT. */
export const BW_PAY_PRICE_MAX: bigint = (1n << 96n) - 1n;

/**
 * Largest integer in a message; as a size 256 TiB. With the largest price the cost of so many bytes
 * still fits an `Atto`, and every bencode decoder can read it.
 */
export const BW_PAY_INTEGER_MAX: number = 2 ** 48;

/** Steps of a Merkle-sum path, at most: 128 lanes. */
export const BW_PAY_PATH_STEPS_MAX = 7;

/** First message of both sides: which money this node takes, and proof that it may receive it. */
export interface HelloMessage {
  readonly type: 'hello';
  /** 1 … 255. */
  readonly version: number;
  readonly chainId: number;
  readonly escrow: Address;
  /** Where this side's earnings go. */
  readonly payee: Address;
  /** The lowest price this side sells at. */
  readonly reserve: AttoPerMib;
  /** Payload this side sends unpaid, before the first voucher, in this session. */
  readonly grace: Bytes;
  /** 65-byte signature of the payee key over the `Bind` digest. */
  readonly signature: Uint8Array;
}

/**
 * What the buyer would pay. A later bid replaces an earlier one. A zero budget ends the bidding.
 */
export interface BidMessage {
  readonly type: 'bid';
  readonly budget: AttoPerSecond;
  readonly maxPrice: AttoPerMib;
  /** Highest useful rate in bytes a second; 0 means as fast as it goes. */
  readonly rate: Bytes;
  /** 1, 2, 3 … per connection, below 2^31. */
  readonly sequence: number;
}

/** What the seller asks now. */
export interface QuoteMessage {
  readonly type: 'quote';
  readonly price: AttoPerMib;
  /** Share of the upload the bid would get, in bytes a second. A forecast, not a promise. */
  readonly share: Bytes;
  /** The buyer sends a voucher each time it received this much more. At least 1. */
  readonly tick: Bytes;
  /** Delivered bytes the seller lets go unpaid, at the start of the session. */
  readonly window: Bytes;
  /** 1, 2, 3 … per connection, below 2^31. */
  readonly sequence: number;
}

/** Requests after this message, in stream order, are bought at that quote's price. */
export interface AcceptMessage {
  readonly type: 'accept';
  /** The quote's sequence; 0 means that requests from here on are not bought. */
  readonly sequence: number;
}

/** The part of a payer's allotment that is reserved for this seller, with its proof. */
export interface LaneMessage {
  readonly type: 'lane';
  readonly allotment: Hash32;
  readonly header: {
    readonly payer: Address;
    readonly root: Hash32;
    readonly sum: Atto;
    readonly expiry: UnixSeconds;
    readonly signer: Address;
    /** 0 … 7. */
    readonly depth: number;
    /** 1 … 128. */
    readonly laneCount: number;
  };
  readonly lane: {
    /** 0 … 127. */
    readonly index: number;
    readonly payee: Address;
    readonly cap: Atto;
  };
  /** Siblings from the leaf upward, at most seven. */
  readonly path: readonly { readonly hash: Hash32; readonly sum: Atto }[];
}

/** The payer's signed statement of what the lane has earned so far. */
export interface VoucherMessage {
  readonly type: 'voucher';
  readonly allotment: Hash32;
  /** 0 … 127. */
  readonly lane: number;
  /** Cumulative for the lane. */
  readonly amount: Atto;
  /** 65 bytes `r | s | v`, v = 27 or 28. */
  readonly signature: Uint8Array;
}

/** The seller has checked and stored a lane or a voucher. */
export interface AckMessage {
  readonly type: 'ack';
  readonly allotment: Hash32;
  /** 0 … 127. */
  readonly lane: number;
  /** Best amount of this lane that is on the seller's disk. */
  readonly amount: Atto;
  /** Sold payload the seller has sent on this connection. */
  readonly metered: Bytes;
  /** Delivered bytes the seller lets go unpaid from now on. */
  readonly window: Bytes;
}

/** Something was refused. The connection stays, unless the spec says otherwise for the code. */
export interface ErrorMessage {
  readonly type: 'error';
  /** Printable ASCII without spaces, 1 … 64 bytes. */
  readonly code: string;
  /** One plain line for the log, printable ASCII, at most 256 bytes. */
  readonly text: string;
}

/** Any message of the extension. */
export type BwPayMessage =
  | HelloMessage
  | BidMessage
  | QuoteMessage
  | AcceptMessage
  | LaneMessage
  | VoucherMessage
  | AckMessage
  | ErrorMessage;
