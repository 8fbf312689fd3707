/** Every bound of the exchange in one place: what a peer can make us hold, risk or compute. */
import { KIB, MIB } from '../units/index.ts';

/** Smallest step of payment: four blocks. */
export const TICK_BYTES_MIN: number = 64 * KIB;

/**
 * A voucher pays for at least this long a transfer, so a fast peer needs about ten a second. Fifty
 * cost a twentieth of the throughput where all cores are busy (docs/decisions/0014).
 */
export const TICK_SECONDS = 0.1;

/** What a seller lets go unpaid at first: one tick. */
export const WINDOW_BYTES_MIN: number = 64 * KIB;

/**
 * What it may grow to before the peer's rate is known: a fast download is not held up by the first
 * vouchers. It still grows only by what was paid.
 */
export const WINDOW_BYTES_EASY: number = 4 * MIB;

/**
 * What it never grows beyond: half a second at 1 Gbit/s. On one machine, at 600 MB/s, 16 MiB
 * stopped the seller between two vouchers (docs/measurements.md).
 */
export const WINDOW_BYTES_MAX: number = 64 * MIB;

/** The bandwidth-delay product is taken at this delay: network, signing, disk and checking. */
export const WINDOW_SECONDS = 0.5;

/** Payload a seller sends before it has a lane, per identity and per /24 or /48. */
export const GRACE_BYTES_DEFAULT: number = MIB;

/** A buyer that is not served free by then uses the seller's grace. */
export const GRACE_AFTER_MS = 200;

/** Grace given and not paid for, at most, as a part of all upload. */
export const GRACE_SHARE_MAX = 0.02;

/** And in any case, so that a node that just started can serve its first buyers. */
export const GRACE_POOL_BYTES: number = 32 * MIB;

/**
 * Unpaid bytes a payer may leave behind before its lanes are refused, beside 2 % of what it paid.
 */
export const LOSS_BYTES_MAX: number = 4 * MIB;

/** How long a payer's losses and an identity's grace are remembered. */
export const MEMORY_MS: number = 10 * 60_000;

/** Identities, prefixes and payers remembered, each. The oldest is forgotten first. */
export const MEMORY_ENTRIES_MAX = 4096;

/** Debt without a new voucher for so long: back to the free pool. */
export const VOUCHER_PATIENCE_MS = 5_000;

/** A higher price not accepted for so long: the old one ends. */
export const QUOTE_PATIENCE_MS = 5_000;

/** A seller waits so long for the lane of a buyer that used up its grace. */
export const LANE_PATIENCE_SELLER_MS = 60_000;

/** A buyer whose lane takes longer goes on as a free peer until it is there. */
export const LANE_PATIENCE_BUYER_MS = 15_000;

/** A buyer whose lanes are used up waits so long for the next one before it goes on as free. */
export const LANE_GAP_MS = 2_000;

/** A lane for less than this many bytes is not worth its transaction, unless money is short. */
export const LANE_BYTES_MIN: number = 16 * MIB;

/** After a refused lane, a buyer asks for another one this much later. */
export const LANE_RETRY_MS = 10_000;

/** A buyer that found the price too high looks again after this. */
export const BID_RETRY_MS = 30_000;

/** With debt and no traffic for so long, a buyer pays what it owes. */
export const IDLE_FLUSH_MS = 200;

/** A connection nobody needs any more stays so long, at most, for the last voucher. */
export const SETTLING_MS = 5_000;

/** Quotes of a connection that can still be accepted. */
export const QUOTES_OPEN_MAX = 8;

/** Lanes of a connection that are not used up. */
export const LANES_OPEN_MAX = 4;

/** Vouchers per second and peer that are checked; more are merged into the newest. */
export const VOUCHERS_PER_SECOND = 50;
export const VOUCHERS_BURST = 100;

/** Messages per second and peer. Acks, quotes and vouchers of a fast honest peer are about 120. */
export const MESSAGES_PER_SECOND = 400;
export const MESSAGES_BURST = 1000;

/** Refusals after which the connection closes; an accepted voucher wipes the slate. */
export const REFUSALS_MAX = 16;

/** Of what was verified, this part may have come twice: bytes paid for that no piece ever needs. */
export const DUPLICATE_SHARE = 0.02;

/** A lane this much used is followed by the next one. */
export const LANE_USED_SHARE_PERCENT = 70n;
