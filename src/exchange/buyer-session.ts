/**
 * Buying upload from one peer.
 *
 * Life of a session: `bid` → the seller's `quote` → a lane is asked of the purse and offered → the
 * seller's first `ack` says that it took it → `accept`. Requests after `accept`, in stream order,
 * are bought at that quote's price, and carry its tag in the engine. A seller that does not serve
 * us free until then is taken at its grace: `accept` goes out before the lane is there.
 *
 * Payment: a voucher each time a tick is owed (`buyer-debt.ts`), and at once after 200 ms without
 * traffic, or when the download ends. What is paid for and not verified stays bounded
 * (`exposure.ts`). A lane well used is followed by another to the same payee.
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
import { BuyerDebt } from './buyer-debt.ts';
import type { BuyerDesk, BuyingPeer } from './buyer-desk.ts';
import { BuyerLanes } from './buyer-lanes.ts';
import type { PayChannel } from './channel.ts';
import {
  BID_RETRY_MS,
  GRACE_AFTER_MS,
  IDLE_FLUSH_MS,
  LANE_BYTES_MIN,
  LANE_GAP_MS,
  LANE_PATIENCE_BUYER_MS,
  SETTLING_MS,
  TICK_BYTES_MIN,
} from './limits.ts';
import { endsBuying, isLaneLost } from './refusal-codes.ts';
import type { BuyingSnapshot } from './session-snapshot.ts';
import { tagOf } from './sold-meter.ts';

/** A piece failed: after this many the connection closes. */
const FAILED_PIECES_MAX = 2;

/** The buyer's side of one connection. */
export class BuyerSession implements BuyingPeer {
  readonly #channel: PayChannel;
  readonly #desk: BuyerDesk;
  readonly #lanes: BuyerLanes;
  readonly #debt: BuyerDebt;
  #hello: HelloMessage | null = null;
  #quote: QuoteMessage | null = null;
  #quotedAt: Instant | null = null;
  #accepted: QuoteMessage | null = null;
  readonly #bidding = new Bidding();
  #retryAt = 0;
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
        return session.boughtBytes;
      },
      onChange: () => {
        this.#advance();
        this.#debt.payIfDue();
      },
      onRefused: (code, text) => this.#onPurseRefused(code, text),
    });
    this.#debt = new BuyerDebt(channel, this.#lanes);
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
    return this.#debt.boughtBytes;
  }

  // What the peer says.

  onHello(hello: HelloMessage): void {
    this.#hello = hello;
    this.#debt.carry(this.#desk.takeCarried(hello.payee));
    this.#advance();
  }

  onQuote(quote: QuoteMessage): void {
    if (this.#quote && quote.sequence <= this.#quote.sequence) {
      this.#channel.refuse('quote-sequence', 'the sequence of a quote must rise');
      return;
    }
    this.#quote = quote;
    this.#quotedAt ??= this.#channel.now;
    this.#debt.setWindow(quote.window);
    this.#debt.setQuotedTick(quote.tick);
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
    this.#debt.setWindow(ack.window);
    this.#lanes.onAck(ack);
    this.#advance();
    this.#debt.payIfDue();
  }

  onError(error: ErrorMessage): void {
    this.#channel.tell({ type: 'refused', by: 'them', code: error.code, text: error.text });
    if (isLaneLost(error.code)) this.#lanes.onLaneRefused();
    if (endsBuying(error.code)) this.#stepBack(error.code);
    this.#debt.flush();
    this.#advance();
  }

  // What the engine tells.

  onBlockReceived(tag: number, size: number, now: Instant): void {
    this.#movedAt = now;
    if (this.#debt.onReceived(tag, size)) this.#desk.boughtBytes += size;
  }

  onVerified(size: number): void {
    this.#debt.onVerified(size);
  }

  onPieceFailed(): void {
    this.#failedPieces++;
    if (this.#bidding.isOpen) this.#withdraw('piece-failed');
    this.#isStopped = true;
    this.#debt.stop();
    if (this.#failedPieces >= FAILED_PIECES_MAX) {
      this.#channel.close('bw_pay: it delivered pieces that failed their hash');
    }
  }

  onTick(now: Instant): void {
    this.#desk.rebalance(now);
    if (now - this.#movedAt >= IDLE_FLUSH_MS || !this.#channel.link.isDownloading)
      this.#debt.flush();
    this.#advance();
  }

  /** Signs what is owed; true when nothing is owed, being signed, or waiting for its `ack`. */
  settle(): boolean {
    this.#debt.flush();
    return !this.#isUnsettled;
  }

  /** Something is owed or not acknowledged, and the last block came a moment ago. */
  get isSettling(): boolean {
    return this.#isUnsettled && this.#channel.now - this.#movedAt < SETTLING_MS;
  }

  onClosed(): void {
    if (this.#hello && !this.#isStopped) {
      this.#desk.carry(
        this.#hello.payee,
        subtractAttoFloor(this.#debt.amount, this.#lanes.signing),
      );
    }
    this.#lanes.release();
    this.#desk.leave(this.key);
    this.#desk.sessions.delete(this.key);
  }

  /** What this seller cost and brought since the last call. */
  takeResult(): LaneResult {
    const { owed, verifiedBytes } = this.#debt;
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
      owed: this.#debt.owed,
      paid: this.#lanes.paid,
      boughtBytes: this.#debt.boughtBytes,
      unpaidBytes: this.#debt.unpaidBytes,
      unverifiedBytes: this.#debt.unverifiedBytes,
      boundBytes: this.#debt.boundBytes,
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
    if (this.#debt.amount === 0n && (this.#lanes.isOpen || this.#needsGrace)) this.#accept(quote);
  }

  /** Nothing flows: the seller's grace helps until the lane is there. It is had once. */
  get #needsGrace(): boolean {
    if (this.#hello?.grace === 0 || this.#laneSince !== null || this.#quotedAt === null)
      return false;
    const { link, now } = this.#channel;
    return !link.isServed && now - this.#quotedAt >= GRACE_AFTER_MS;
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
    this.#debt.open(tag, quote.price);
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
    if (this.#lanes.left < addAtto(this.#debt.amount, least)) this.#withdraw('budget');
  }

  /** What the rest of the torrent would cost, with a quarter to spare for a rising price. */
  #mostNeeded(price: AttoPerMib): Atto {
    const remaining = this.#desk.remainingBytes(this.torrentKey);
    if (remaining === null) return this.#desk.available;
    const rest = costOf(bytes(Math.ceil(remaining) + MIB), price);
    return addAtto(this.#debt.amount, atto((rest * 5n) / 4n));
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
    return !this.#isStopped && (this.#debt.amount > 0n || !this.#lanes.isSettled);
  }
}
