/** What a buyer owes one seller, and when it pays: vouchers by the tick, within the exposure. */
import { FREE_TAG } from '../engine/index.ts';
import {
  type Atto,
  type AttoPerMib,
  addAtto,
  atto,
  BLOCK_BYTES,
  subtractAttoFloor,
  ZERO_ATTO,
} from '../units/index.ts';
import type { BuyerLanes } from './buyer-lanes.ts';
import type { PayChannel } from './channel.ts';
import { Exposure } from './exposure.ts';
import { TICK_BYTES_MIN, TICK_SECONDS, WINDOW_BYTES_MAX, WINDOW_BYTES_MIN } from './limits.ts';
import { SoldMeter } from './sold-meter.ts';

/**
 * Metering and paying of one connection. The tick is the quote's, or 100 ms of the rate if that is
 * more, but never above half the window, so that a voucher is always on its way before the seller
 * must stop. One signature is in the making at a time; the next one covers all that came since.
 */
export class BuyerDebt {
  readonly #channel: PayChannel;
  readonly #lanes: BuyerLanes;
  readonly #meter = new SoldMeter();
  readonly #exposure = new Exposure();
  #carried: Atto = ZERO_ATTO;
  #window = WINDOW_BYTES_MIN;
  #quotedTick = 0;
  /** Bought bytes at which a voucher may be due: most blocks cost a comparison. */
  #lookAt = 0;
  #isStopped = false;

  constructor(channel: PayChannel, lanes: BuyerLanes) {
    this.#channel = channel;
    this.#lanes = lanes;
  }

  /** All that was bought, in atto. */
  get owed(): Atto {
    return this.#meter.owed;
  }

  get boughtBytes(): number {
    return this.#meter.size;
  }

  get verifiedBytes(): number {
    return this.#exposure.verifiedBytes;
  }

  get unverifiedBytes(): number {
    return this.#exposure.unverifiedBytes;
  }

  /** Owed and not signed. */
  get amount(): Atto {
    return subtractAttoFloor(addAtto(this.#meter.owed, this.#carried), this.#lanes.paid);
  }

  /** The debt in bytes; what an earlier connection left is paid first. */
  get unpaidBytes(): number {
    return this.#meter.unpaidBytes(subtractAttoFloor(this.#lanes.paid, this.#carried));
  }

  /** The most that is paid for and unverified. */
  get boundBytes(): number {
    const { pieceLengthBytes } = this.#channel.link;
    return this.#exposure.bound({ pieceLength: pieceLengthBytes, window: this.#window });
  }

  /** Adds what an earlier connection with the same payee left. */
  carry(debt: Atto): void {
    this.#carried = debt;
  }

  /** The seller's window, from a quote or an `ack`. */
  setWindow(size: number): void {
    this.#window = Math.min(WINDOW_BYTES_MAX, Math.max(BLOCK_BYTES, size));
  }

  setQuotedTick(size: number): void {
    this.#quotedTick = size;
  }

  /** From here on blocks under `tag` cost `price`. */
  open(tag: number, price: AttoPerMib): void {
    this.#meter.open(tag, price);
  }

  /** A block came; true when it was bought. */
  onReceived(tag: number, size: number): boolean {
    this.#exposure.onReceived(size);
    if (tag === FREE_TAG || !this.#meter.add(tag, size)) return false;
    if (this.#meter.size >= this.#lookAt) this.payIfDue();
    return true;
  }

  onVerified(size: number): void {
    this.#exposure.onVerified(size);
    this.payIfDue();
  }

  /** Pays if a tick is owed, and else looks again when it may be. */
  payIfDue(): void {
    const tick = this.#tick;
    const unpaid = this.unpaidBytes;
    this.#lookAt = this.#meter.size + Math.max(BLOCK_BYTES, tick - unpaid);
    if (unpaid >= tick) this.#pay(false);
  }

  /** Nothing more is paid: what came was bad. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Pays everything, as far as exposure allows. */
  flush(): void {
    this.#pay(true);
  }

  /** Bytes between two vouchers. */
  get #tick(): number {
    const byRate = Math.floor(this.#channel.link.counters.receiveRate * TICK_SECONDS);
    const tick = Math.max(TICK_BYTES_MIN, this.#quotedTick, byRate);
    return Math.max(1, Math.min(tick, Math.floor(this.#window / 2)));
  }

  #pay(isFlush: boolean): void {
    if (this.#isStopped || this.#lanes.isSigning || !this.#lanes.isOpen) return;
    const debt = this.amount;
    if (debt === 0n) return;
    const unpaid = this.unpaidBytes;
    const payable = this.#channel.link.isDownloading
      ? this.#exposure.payableBytes(unpaid, this.boundBytes)
      : unpaid;
    if (!isFlush && payable < this.#tick) return;
    // In part, rounded down, to our benefit; the rest follows when pieces are verified.
    const due = payable >= unpaid ? debt : atto((debt * BigInt(payable)) / BigInt(unpaid));
    this.#lanes.pay(due);
  }
}
