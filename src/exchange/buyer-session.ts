/**
 * Buying upload from one peer.
 *
 * Life of a session: `bid` → the seller's `quote` → `accept`, at once if the seller gives grace,
 * else when it took our lane. Requests after `accept`, in stream order, are bought at that quote's
 * price, and carry its tag in the engine. Meanwhile a lane is asked of the purse and offered; the
 * seller's first `ack` says that it took it.
 *
 * Payment: a voucher each time a tick is owed, and at once after 200 ms without traffic, or when
 * the download ends. One signature is in the making at a time; the next one covers all that came
 * since. The tick is the quote's, or 20 ms of the rate if that is more, but never above half the
 * window, so that a voucher is always on its way before the seller must stop. What is paid for and
 * not verified stays bounded (`exposure.ts`). A lane well used is followed by another to the same
 * payee.
 *
 * We step back, always with `accept 0`, and go on as a free peer when: the price passes our limit
 * (also a bid of zero; we look again half a minute later), the budget is used up, a lane takes too
 * long, or the seller says `unpaid`. Debts are paid all the same. After a piece that failed its
 * hash we pay this connection nothing more; after a second one we close it.
 *
 * A connection that breaks leaves a debt of what was delivered last: it is added to what the next
 * connection with the same payee owes.
 */
import { FREE_TAG } from '../engine/index.ts';
import type { LaneResult } from '../market/index.ts';
import {
  type Atto,
  type AttoPerMib,
  addAtto,
  atto,
  BLOCK_BYTES,
  bytes,
  costOf,
  type Instant,
  MIB,
  minAtto,
  subtractAttoFloor,
  ZERO_ATTO,
} from '../units/index.ts';
import {
  type AckMessage,
  BW_PAY_PRICE_MAX,
  type ErrorMessage,
  type HelloMessage,
  type QuoteMessage,
} from '../wire/index.ts';
import { Bidding } from './bidding.ts';
import type { BuyerDesk, BuyingPeer } from './buyer-desk.ts';
import { BuyerLanes } from './buyer-lanes.ts';
import type { PayChannel } from './channel.ts';
import { Exposure } from './exposure.ts';
import {
  BID_RETRY_MS,
  IDLE_FLUSH_MS,
  LANE_BYTES_MIN,
  LANE_GAP_MS,
  LANE_PATIENCE_BUYER_MS,
  SETTLING_MS,
  TICK_BYTES_MIN,
  TICK_SECONDS,
  WINDOW_BYTES_MAX,
  WINDOW_BYTES_MIN,
} from './limits.ts';
import { endsBuying, isLaneLost } from './refusal-codes.ts';
import type { BuyingSnapshot } from './session-snapshot.ts';
import { SoldMeter, tagOf } from './sold-meter.ts';

/** A piece failed: after this many the connection closes. */
const FAILED_PIECES_MAX = 2;

/** The buyer's side of one connection. */
export class BuyerSession implements BuyingPeer {
  readonly #channel: PayChannel;
  readonly #desk: BuyerDesk;
  readonly #meter = new SoldMeter();
  readonly #exposure = new Exposure();
  readonly #lanes: BuyerLanes;
  #hello: HelloMessage | null = null;
  #quote: QuoteMessage | null = null;
  #accepted: QuoteMessage | null = null;
  #window = WINDOW_BYTES_MIN;
  readonly #bidding = new Bidding();
  #retryAt = 0;
  #carried: Atto = ZERO_ATTO;
  /** When a lane was last there; at first, when the grace began. */
  #laneSince: Instant | null = null;
  #lanePatienceMs = LANE_PATIENCE_BUYER_MS;
  #isStopped = false;
  #failedPieces = 0;
  #movedAt: Instant;
  #reported = { owed: ZERO_ATTO, verified: 0 };

  constructor(channel: PayChannel, desk: BuyerDesk) {
    this.#channel = channel;
    this.#desk = desk;
    this.#movedAt = channel.now;
    const session = this;
    this.#lanes = new BuyerLanes(channel, desk, {
      key: channel.ref.peerKey,
      get boughtBytes(): number {
        return session.#meter.size;
      },
      onChange: () => this.#advance(),
      onRefused: (code, text) => this.#onPurseRefused(code, text),
    });
    desk.sessions.set(channel.ref.peerKey, this);
  }

  get key(): number {
    return this.#channel.ref.peerKey;
  }

  get torrentKey(): string {
    return this.#channel.ref.torrentKey;
  }

  get receiveRate(): number {
    return this.#channel.link.counters.receiveRate;
  }

  /** Bytes bought on this connection. */
  get boughtBytes(): number {
    return this.#meter.size;
  }

  // What the peer says.

  onHello(hello: HelloMessage): void {
    this.#hello = hello;
    this.#carried = this.#desk.takeCarried(hello.payee);
    this.#advance();
  }

  onQuote(quote: QuoteMessage): void {
    if (this.#quote && quote.sequence <= this.#quote.sequence) {
      this.#channel.refuse('quote-sequence', 'the sequence of a quote must rise');
      return;
    }
    this.#quote = quote;
    this.#window = Math.min(WINDOW_BYTES_MAX, Math.max(BLOCK_BYTES, quote.window));
    this.#channel.tell({ type: 'quote', side: 'buying', price: quote.price });
    if (!this.#bidding.isOpen) return;
    if (quote.price > this.#desk.options.maxPrice) {
      this.#withdraw('price');
      return;
    }
    if (this.#accepted) this.#accept(quote);
    this.#advance();
  }

  onAck(ack: AckMessage): void {
    this.#window = Math.min(WINDOW_BYTES_MAX, Math.max(BLOCK_BYTES, ack.window));
    this.#lanes.onAck(ack);
    this.#advance();
  }

  onError(error: ErrorMessage): void {
    this.#channel.tell({ type: 'refused', by: 'them', code: error.code, text: error.text });
    if (isLaneLost(error.code)) this.#lanes.onLaneRefused();
    if (endsBuying(error.code)) this.#stepBack(error.code);
    this.#pay(true);
    this.#advance();
  }

  // What the engine tells.

  onBlockReceived(tag: number, size: number, now: Instant): void {
    this.#movedAt = now;
    this.#exposure.onReceived(size);
    if (tag === FREE_TAG || !this.#meter.add(tag, size)) return;
    this.#desk.boughtBytes += size;
    if (this.#unpaidBytes >= this.#tick) this.#pay(false);
  }

  onVerified(size: number): void {
    this.#exposure.onVerified(size);
    if (this.#unpaidBytes >= this.#tick) this.#pay(false);
  }

  onPieceFailed(): void {
    this.#failedPieces++;
    if (this.#bidding.isOpen) this.#withdraw('piece-failed');
    this.#isStopped = true;
    if (this.#failedPieces >= FAILED_PIECES_MAX) {
      this.#channel.close('bw_pay: it delivered pieces that failed their hash');
    }
  }

  onTick(now: Instant): void {
    this.#desk.rebalance(now);
    if (now - this.#movedAt >= IDLE_FLUSH_MS || !this.#channel.link.isDownloading) this.#pay(true);
    this.#advance();
  }

  /** Signs what is owed; true when nothing is owed, being signed, or waiting for its `ack`. */
  settle(): boolean {
    this.#pay(true);
    return !this.#isUnsettled;
  }

  /** Something is owed or not acknowledged, and the last block came a moment ago. */
  get isSettling(): boolean {
    return this.#isUnsettled && this.#channel.now - this.#movedAt < SETTLING_MS;
  }

  onClosed(): void {
    if (this.#hello && !this.#isStopped) {
      this.#desk.carry(this.#hello.payee, subtractAttoFloor(this.#debt, this.#lanes.signing));
    }
    this.#lanes.release();
    this.#desk.leave(this.key);
    this.#desk.sessions.delete(this.key);
  }

  /** What this seller cost and brought since the last call. */
  takeResult(): LaneResult {
    const { owed } = this.#meter;
    const { verifiedBytes } = this.#exposure;
    const result = {
      key: this.key,
      spent: atto(owed - this.#reported.owed),
      verifiedBytes: verifiedBytes - this.#reported.verified,
    };
    this.#reported = { owed, verified: verifiedBytes };
    return result;
  }

  get snapshot(): BuyingSnapshot {
    const active = this.#accepted ? 'buying' : this.#bidding.isOpen ? 'bidding' : 'idle';
    return {
      state: this.#isStopped ? 'stopped' : active,
      quoted: this.#quote?.price ?? null,
      owed: this.#meter.owed,
      paid: this.#lanes.paid,
      boughtBytes: this.#meter.size,
      unpaidBytes: this.#unpaidBytes,
      unverifiedBytes: this.#exposure.unverifiedBytes,
      boundBytes: this.#bound,
    };
  }

  // Decisions.

  /** Does whatever the present state calls for. Safe to call at any time. */
  #advance(): void {
    const { link, now } = this.#channel;
    if (!this.#hello || this.#isStopped) return;
    if (!link.isDownloading) {
      if (this.#bidding.isOpen) this.#withdraw('done');
      return;
    }
    if (now < this.#retryAt) return;
    this.#sendBid(this.#hello);
    const quote = this.#quote;
    if (!this.#bidding.isOpen || !quote || quote.price > this.#desk.options.maxPrice) return;
    this.#askForLane(this.#hello, quote);
    if (this.#accepted) {
      this.#watchLane();
      return;
    }
    const mayUseGrace = this.#hello.grace > 0 && this.#laneSince === null;
    if (this.#debt === 0n && (this.#lanes.isOpen || mayUseGrace)) this.#accept(quote);
  }

  #sendBid(hello: HelloMessage): void {
    const { now } = this.#channel;
    const { maxPrice } = this.#desk.options;
    // A reserve above our price may fall, and an automatic one does so only if it hears of us.
    if (hello.reserve >= BW_PAY_PRICE_MAX || this.#desk.budgetLeft === 0n) return;
    this.#desk.join(this.key);
    const bid = this.#bidding.next({ now, maxPrice, rate: this.#desk.bidRate(this, now) });
    if (bid) this.#channel.send(bid);
  }

  #accept(quote: QuoteMessage): void {
    if (this.#accepted?.sequence === quote.sequence) return;
    this.#accepted = quote;
    this.#laneSince ??= this.#channel.now;
    this.#channel.send({ type: 'accept', sequence: quote.sequence });
    const tag = tagOf(quote.sequence);
    this.#meter.open(tag, quote.price);
    this.#channel.link.setRequestTag(tag);
    this.#channel.tell({ type: 'accepted', side: 'buying', price: quote.price });
  }

  /** Asks the purse for a lane when there is none, or the last one is well used. */
  #askForLane(hello: HelloMessage, quote: QuoteMessage): void {
    if (this.#lanes.isPending || !this.#lanes.isRunningOut) return;
    const needed = this.#mostNeeded(quote.price);
    if (this.#lanes.isOpen && this.#lanes.left >= needed) return;
    const least = costOf(bytes(TICK_BYTES_MIN), quote.price);
    const worthwhile = costOf(bytes(LANE_BYTES_MIN), quote.price);
    const cap = minAtto(this.#desk.laneShare(this.key, worthwhile), needed);
    if (cap >= least && cap > 0n) {
      this.#lanes.request(hello.payee, cap);
      return;
    }
    if (this.#lanes.left < addAtto(this.#debt, least)) this.#withdraw('budget');
  }

  /** What the rest of the torrent would cost, with a quarter to spare for a rising price. */
  #mostNeeded(price: AttoPerMib): Atto {
    const remaining = this.#desk.remainingBytes(this.torrentKey);
    if (remaining === null) return this.#desk.available;
    const rest = costOf(bytes(Math.ceil(remaining) + MIB), price);
    return addAtto(this.#debt, atto((rest * 5n) / 4n));
  }

  /** Without a lane that can pay, nothing sold flows for long: go on as a free peer. */
  #watchLane(): void {
    const { now } = this.#channel;
    if (this.#lanes.isOpen) {
      this.#laneSince = now;
      this.#lanePatienceMs = LANE_GAP_MS;
    } else if (this.#laneSince !== null && now - this.#laneSince > this.#lanePatienceMs) {
      this.#stepBack('lane-late');
    }
  }

  /** Requests from here on are not bought; the bid stands. */
  #stepBack(code: string): void {
    if (!this.#accepted) return;
    this.#accepted = null;
    this.#channel.send({ type: 'accept', sequence: 0 });
    this.#channel.link.setRequestTag(FREE_TAG);
    this.#channel.tell({ type: 'withdrawn', side: 'buying', code });
  }

  /** Ends the bidding for now. */
  #withdraw(code: string): void {
    this.#stepBack(code);
    this.#quote = null;
    this.#retryAt = code === 'done' ? 0 : this.#channel.now + BID_RETRY_MS;
    this.#desk.leave(this.key);
    this.#channel.send(this.#bidding.end(this.#desk.options.maxPrice));
  }

  #onPurseRefused(code: string, text: string): void {
    this.#channel.tell({ type: 'refused', by: 'us', code, text });
    if (!this.#lanes.isOpen && this.#bidding.isOpen) this.#stepBack(code);
  }

  // Money.

  get #isUnsettled(): boolean {
    return !this.#isStopped && (this.#debt > 0n || !this.#lanes.isSettled);
  }

  /** Owed and not signed. */
  get #debt(): Atto {
    return subtractAttoFloor(addAtto(this.#meter.owed, this.#carried), this.#lanes.paid);
  }

  /** The debt in bytes; what an earlier connection left is paid first. */
  get #unpaidBytes(): number {
    return this.#meter.unpaidBytes(subtractAttoFloor(this.#lanes.paid, this.#carried));
  }

  /** Bytes between two vouchers. */
  get #tick(): number {
    const byRate = Math.floor(this.receiveRate * TICK_SECONDS);
    const tick = Math.max(TICK_BYTES_MIN, this.#quote?.tick ?? 0, byRate);
    return Math.max(1, Math.min(tick, Math.floor(this.#window / 2)));
  }

  get #bound(): number {
    const { pieceLengthBytes } = this.#channel.link;
    return this.#exposure.bound({ pieceLength: pieceLengthBytes, window: this.#window });
  }

  /** Pays what is due: a tick or more, or everything when `isFlush`; as far as exposure allows. */
  #pay(isFlush: boolean): void {
    if (this.#isStopped || this.#lanes.isSigning || !this.#lanes.isOpen) return;
    const debt = this.#debt;
    if (debt === 0n) return;
    const unpaid = this.#unpaidBytes;
    const payable = this.#channel.link.isDownloading
      ? this.#exposure.payableBytes(unpaid, this.#bound)
      : unpaid;
    if (!isFlush && payable < this.#tick) return;
    // In part, rounded down, to our benefit; the rest follows when pieces are verified.
    const due = payable >= unpaid ? debt : atto((debt * BigInt(payable)) / BigInt(unpaid));
    this.#lanes.pay(due);
  }
}
