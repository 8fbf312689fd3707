/**
 * Selling upload to one peer.
 *
 * Life of a session, as the other side sees it:
 * 1. It sends `bid`; we `quote` the market's price, and again when price or tick change materially.
 * 2. It sends `accept n`: requests after it, in stream order, are sold at quote n's price. Only the
 *    buyer's `accept` ever changes what requests cost, so both ends meter the same bytes.
 *    `accept 0`, or a bid with no budget: requests from here on are not sold.
 * 3. Until a lane is admitted, sold bytes flow on grace: credit of limited size, billed like all
 *    other sold bytes once there is a lane, and lost to us if none comes.
 * 4. It sends `lane`; we check and answer `ack`. From then on delivered and unpaid bytes stay
 *    within the window: one tick at first, larger by what each voucher pays, up to a bandwidth-
 *    delay product.
 * 5. It sends `voucher`s, cumulative per lane. What the session has paid is the sum over its lanes
 *    of the best amount less the amount at admission; which bytes a lane paid for is not asked. A
 *    full lane is simply followed by the next. Every stored voucher is answered by `ack`.
 *
 * Debt without a voucher for too long, or a higher quote ignored, chokes the peer back (`error`
 * `unpaid` or `quote-ignored`): nothing sold is served until it pays or accepts. It is welcome in
 * the free pool as soon as it says `accept 0`. Requests that it made as sold are dropped by one
 * choke.
 */
import { FREE_TAG } from '../engine/index.ts';
import { type MarketBid, networkPrefix } from '../market/index.ts';
import {
  type Atto,
  type AttoPerMib,
  atto,
  attoPerSecond,
  bytes,
  bytesPerSecond,
  type Instant,
} from '../units/index.ts';
import type { BidMessage, LaneMessage, VoucherMessage } from '../wire/index.ts';
import type { PayChannel } from './channel.ts';
import {
  LANE_PATIENCE_SELLER_MS,
  QUOTE_PATIENCE_MS,
  QUOTES_OPEN_MAX,
  TICK_BYTES_MIN,
  TICK_SECONDS,
  VOUCHER_PATIENCE_MS,
  WINDOW_BYTES_EASY,
  WINDOW_BYTES_MAX,
  WINDOW_BYTES_MIN,
  WINDOW_SECONDS,
} from './limits.ts';
import type { GraceClaim } from './memory.ts';
import type { SellerDesk, SellingPeer } from './seller-desk.ts';
import { SellerLanes } from './seller-lanes.ts';
import type { SellingSnapshot, Standing } from './session-snapshot.ts';
import { SoldMeter, tagOf } from './sold-meter.ts';

/** Over which time a bid must be backed by a lane or by grace to count in full. */
const BACKING_SECONDS = 10n;

/** A quote that differs by less than this part of the price is not worth a message. */
const MATERIAL_DIVISOR = 50n;

interface OpenQuote {
  readonly sequence: number;
  readonly price: AttoPerMib;
  readonly tick: number;
  readonly sentAt: Instant;
}

/** The seller's side of one connection. */
export class SellerSession implements SellingPeer {
  readonly #channel: PayChannel;
  readonly #desk: SellerDesk;
  readonly #meter = new SoldMeter();
  readonly #lanes: SellerLanes;
  readonly #unpaidRateReceived: () => number;
  #bid: BidMessage | null = null;
  /** Newest last. */
  #quotes: readonly OpenQuote[] = [];
  #sequence = 0;
  #accepted: OpenQuote | null = null;
  #window = WINDOW_BYTES_MIN;
  /** Sold bytes a second between the last two ticks. */
  #burstRate = 0;
  #measured = { at: -Infinity, size: 0 };
  #grace: { readonly claim: GraceClaim; readonly granted: number } | null = null;
  /** Since when there is debt and no new voucher. */
  #debtSince: Instant | null = null;
  #lateCode: string | null = null;
  #mustChokeOnce = false;
  #isRoundWanted = false;

  constructor(channel: PayChannel, desk: SellerDesk, unpaidRateReceived: () => number) {
    this.#channel = channel;
    this.#desk = desk;
    this.#unpaidRateReceived = unpaidRateReceived;
    this.#lanes = new SellerLanes(channel, desk, {
      owner: this,
      onAdmitted: () => this.#onAdmitted(),
      onPaid: (amount, payer) => this.#onPaid(amount, payer),
    });
    desk.sessions.set(channel.ref.peerKey, this);
  }

  get #unpaid(): number {
    return this.#meter.unpaidBytes(this.#lanes.paid);
  }

  /** Who the peer proved to be; null before its `hello`. */
  get identity(): string | null {
    return this.#channel.hello?.payee ?? null;
  }

  // What the peer says.

  onBid(bid: BidMessage): void {
    if (this.#bid && bid.sequence <= this.#bid.sequence) {
      this.#channel.refuse('bid-sequence', 'the sequence of a bid must rise');
      return;
    }
    this.#bid = bid;
    if (bid.budget === 0n) this.#stopSelling();
    else this.offer(this.#desk.price, 0);
  }

  onAccept(sequence: number): void {
    if (sequence === 0) {
      this.#stopSelling();
      return;
    }
    const quote = this.#quotes.find((one) => one.sequence === sequence);
    if (!quote || !this.#bid || this.#bid.budget === 0n) {
      this.#channel.refuse('quote-unknown', 'there is no such quote to accept');
      return;
    }
    if (this.#accepted && sequence <= this.#accepted.sequence) {
      if (sequence === this.#accepted.sequence) return;
      this.#channel.refuse('quote-unknown', 'a later quote was accepted before');
      return;
    }
    this.#accepted = quote;
    const tag = tagOf(sequence);
    this.#meter.open(tag, quote.price);
    this.#channel.link.setServeTag(tag);
    if (this.#lateCode === 'quote-ignored') this.#recover();
    if (!this.#lanes.isAdmitted) this.#takeGrace();
    this.#channel.tell({ type: 'accepted', side: 'selling', price: quote.price });
    this.#channel.link.requestRechoke();
  }

  onLane(message: LaneMessage): void {
    this.#lanes.onLane(message);
  }

  onVoucher(message: VoucherMessage): void {
    this.#lanes.onVoucher(message);
  }

  // What the engine asks and tells.

  /**
   * Bytes that may be sent now under `tag`: window less unpaid, and never beyond what lanes hold.
   */
  creditBytes(tag: number): number {
    if (tag === FREE_TAG) return Infinity;
    const price = this.#meter.priceOf(tag);
    if (price === null || this.#lateCode !== null) return 0;
    if (price === 0n) return Infinity;
    const { paid, funds } = this.#lanes;
    if (!this.#lanes.isAdmitted) return (this.#grace?.granted ?? 0) - this.#unpaid;
    const unpaid = this.#unpaid;
    const ahead = unpaid > 0 ? 0 : this.#meter.roomBytes(paid, price);
    const covered = this.#meter.roomBytes(funds, price);
    return Math.min(this.#window - unpaid + ahead, covered);
  }

  onBlockSent(tag: number, size: number): void {
    this.#desk.grace.onUploaded(size);
    if (tag === FREE_TAG || !this.#meter.add(tag, size)) return;
    this.#desk.soldBytes += size;
    if (this.#debtSince === null && this.#unpaid > 0) this.#debtSince = this.#channel.now;
  }

  onTick(now: Instant): void {
    this.#lanes.pump();
    this.#measureBurst(now);
    if (this.#isRoundWanted) this.#channel.link.requestRechoke();
    this.#isRoundWanted = false;
    if (this.#lateCode !== null) return;
    if (this.#isDebtLate(now)) {
      this.#chokeBack('unpaid', 'no voucher came for what was sent');
      return;
    }
    const newest = this.#quotes.at(-1);
    if (!this.#accepted || !newest || newest.price <= this.#accepted.price) return;
    if (newest.sequence > this.#accepted.sequence && now - newest.sentAt > QUOTE_PATIENCE_MS) {
      this.#chokeBack('quote-ignored', 'the price rose and the new quote was not accepted');
    }
  }

  /** A voucher for what was sent is due, or is being stored. */
  get isSettling(): boolean {
    return this.#lateCode === null && (this.#debtSince !== null || this.#lanes.isChecking);
  }

  onClosed(now: Instant): void {
    const unpaid = this.#unpaid;
    if (unpaid > 0 && this.#lanes.payer) this.#desk.losses.onLost(this.#lanes.payer, unpaid, now);
    if (this.#grace) this.#giveGraceBack(Math.max(0, this.#grace.granted - unpaid));
    this.#lanes.release();
    this.#desk.sessions.delete(this.#channel.ref.peerKey);
  }

  // What the upload policy asks and tells.

  get standing(): Standing {
    if (this.#mustChokeOnce) return 'barred';
    if (this.#accepted === null) return 'free';
    if (this.#lateCode !== null) return 'barred';
    const hasCredit = this.creditBytes(tagOf(this.#accepted.sequence)) > 0;
    return hasCredit || this.#lanes.isAdmitted ? 'paying' : 'waiting';
  }

  /** The choke that drops stale requests is being given; a round soon after may end it. */
  onBarred(): void {
    this.#isRoundWanted ||= this.#mustChokeOnce;
    this.#mustChokeOnce = false;
  }

  /**
   * This peer's bid as far as it is backed: by what its lanes hold for ten seconds, or by grace.
   */
  marketBid(): MarketBid | null {
    const { standing } = this;
    if (standing !== 'paying' || !this.#bid || !this.#accepted) return null;
    const { owed } = this.#meter;
    const { funds } = this.#lanes;
    const backing = this.#lanes.isAdmitted
      ? (funds > owed ? funds - owed : 0n) / BACKING_SECONDS
      : this.#bid.budget;
    const budget = backing < this.#bid.budget ? backing : this.#bid.budget;
    return {
      key: this.#channel.ref.peerKey,
      budget: attoPerSecond(budget),
      maxPrice: this.#bid.maxPrice,
      maxRate: bytesPerSecond(this.#bid.rate === 0 ? Infinity : this.#bid.rate),
      barterRate: bytesPerSecond(this.#unpaidRateReceived()),
    };
  }

  /** It would buy at a lower price; a buyer that withdrew for the price still counts. */
  get isPricedOut(): boolean {
    return this.#accepted === null && this.#bid !== null && this.#bid.maxPrice < this.#desk.price;
  }

  /** Tells the bidder a price, unless it knows it (nearly) already. */
  offer(price: AttoPerMib, share: number): void {
    if (!this.#bid || this.#bid.budget === 0n) return;
    const { link, now } = this.#channel;
    const byRate = Math.floor(link.counters.sendRate * TICK_SECONDS);
    const tick = Math.min(Math.max(TICK_BYTES_MIN, byRate), Math.floor(WINDOW_BYTES_MAX / 2));
    const newest = this.#quotes.at(-1);
    if (newest && !isMaterial(newest, { price, tick })) return;
    const sequence = ++this.#sequence;
    const quote = { sequence, price, tick, sentAt: now };
    this.#quotes = [...this.#quotes, quote].slice(-QUOTES_OPEN_MAX);
    this.#channel.send({
      type: 'quote',
      price,
      share: bytes(Math.floor(Math.min(share, 2 ** 47))),
      tick: bytes(tick),
      window: bytes(this.#window),
      sequence,
    });
    this.#channel.tell({ type: 'quote', side: 'selling', price });
  }

  get snapshot(): SellingSnapshot {
    return {
      standing: this.standing,
      price: this.#accepted?.price ?? null,
      owed: this.#meter.owed,
      earned: this.#lanes.paid,
      soldBytes: this.#meter.size,
      unpaidBytes: this.#unpaid,
      windowBytes: Math.max(this.#lanes.isAdmitted ? this.#window : 0, this.#grace?.granted ?? 0),
    };
  }

  /** Another session proved to be the same buyer on the same lane. */
  loseLane(key: string): void {
    this.#lanes.lose(key);
  }

  // Helpers.

  #stopSelling(): void {
    if (this.#accepted === null) return;
    // Sold requests that can no longer be served would block those that follow: drop them.
    this.#mustChokeOnce = true;
    this.#accepted = null;
    this.#channel.link.setServeTag(FREE_TAG);
    this.#channel.tell({ type: 'withdrawn', side: 'selling', code: 'accept-0' });
    this.#channel.link.requestRechoke();
  }

  #isDebtLate(now: Instant): boolean {
    if (this.#debtSince === null || this.#lanes.isChecking) return false;
    const patience = this.#lanes.isAdmitted ? VOUCHER_PATIENCE_MS : LANE_PATIENCE_SELLER_MS;
    return now - this.#debtSince > patience;
  }

  #chokeBack(code: string, text: string): void {
    this.#lateCode = code;
    this.#window = WINDOW_BYTES_MIN;
    this.#mustChokeOnce = true;
    this.#channel.tell({ type: 'choked-back', code });
    this.#channel.sendError(code, text);
    this.#channel.link.requestRechoke();
  }

  #recover(): void {
    this.#lateCode = null;
    this.#debtSince = this.#unpaid > 0 ? this.#channel.now : null;
    this.#channel.tell({ type: 'recovered' });
    this.#channel.link.requestRechoke();
  }

  #takeGrace(): void {
    if (this.#grace) return;
    const { hello, link, now } = this.#channel;
    const claim = { identity: hello?.payee ?? '', prefix: networkPrefix(link.remoteHost) };
    this.#grace = { claim, granted: this.#desk.grace.take(claim, now) };
  }

  #giveGraceBack(size: number): void {
    if (!this.#grace) return;
    this.#desk.grace.giveBack(this.#grace.claim, size, this.#channel.now);
    this.#grace = null;
  }

  #onAdmitted(): void {
    if (this.#debtSince !== null) this.#debtSince = this.#channel.now;
    this.#channel.link.resumeUpload();
    this.#channel.link.requestRechoke();
  }

  /**
   * The link's rate is smoothed over two seconds; a window that waits for it would keep a fast
   * download at a tenth of its speed for the first one.
   */
  #measureBurst(now: Instant): void {
    const { at, size } = this.#measured;
    if (now <= at) return;
    this.#burstRate = ((this.#meter.size - size) * 1000) / (now - at);
    this.#measured = { at: now, size: this.#meter.size };
  }

  /** A voucher is on disk. Returns the window for the `ack`. */
  #onPaid(amount: Atto, payer: string): { readonly window: number; readonly metered: number } {
    const { now, link } = this.#channel;
    const before = this.#meter.unpaidBytes(atto(this.#lanes.paid - amount));
    const unpaid = this.#unpaid;
    const rate = Math.max(link.counters.sendRate, this.#burstRate);
    const most = Math.max(WINDOW_BYTES_EASY, rate * WINDOW_SECONDS);
    const limit = Math.floor(Math.min(WINDOW_BYTES_MAX, most));
    const grown = Math.min(limit, this.#window + Math.max(0, before - unpaid));
    // A falling rate shrinks the window, but never below what it has let go already.
    this.#window = Math.max(grown, unpaid);
    this.#debtSince = unpaid > 0 ? now : null;
    this.#desk.onEarned(amount);
    this.#desk.losses.onPaid(payer, before - unpaid, now);
    const granted = this.#grace?.granted ?? 0;
    if (this.#meter.size - unpaid >= granted) this.#giveGraceBack(granted);
    if (this.#lateCode === 'unpaid' && unpaid <= this.#window / 2) this.#recover();
    this.#channel.forgive();
    this.#channel.tell({ type: 'earned', amount });
    link.resumeUpload();
    return { window: this.#window, metered: this.#meter.size };
  }

  /** For the first `ack` of a lane. */
  get terms(): { readonly window: number; readonly metered: number } {
    return { window: this.#window, metered: this.#meter.size };
  }
}

/** A price that moved by more than a fiftieth, or a tick that doubled or halved. */
function isMaterial(
  known: OpenQuote,
  next: { readonly price: AttoPerMib; readonly tick: number },
): boolean {
  const change = next.price > known.price ? next.price - known.price : known.price - next.price;
  if (change * MATERIAL_DIVISOR > known.price) return true;
  return next.tick >= known.tick * 2 || next.tick * 2 <= known.tick;
}
