/** The lanes a peer pays one selling session with: admission, vouchers on their way to the disk. */
import { type Atto, addAtto, atto, bytes, ZERO_ATTO } from '../units/index.ts';
import type { LaneMessage, VoucherMessage } from '../wire/index.ts';
import type { PayChannel } from './channel.ts';
import { LANES_OPEN_MAX, VOUCHERS_BURST, VOUCHERS_PER_SECOND } from './limits.ts';
import { RateGate } from './rate-gate.ts';
import type { SellerDesk, SellingPeer } from './seller-desk.ts';

/** What the lanes tell the session they belong to. */
export interface LaneOwner {
  readonly owner: SellingPeer;
  onAdmitted(): void;
  /** `amount` more is on disk; answers what the `ack` says. */
  onPaid(amount: Atto, payer: string): { readonly window: number; readonly metered: number };
}

interface SellerLane {
  readonly offer: LaneMessage;
  /** Null while the book checks it. */
  admittedAt: Atto | null;
  best: Atto;
  /** The newest voucher that waits for its turn; older ones do not matter any more. */
  waiting: VoucherMessage | null;
  /** A voucher is with the book. */
  checking: VoucherMessage | null;
}

/** Lanes of one connection, at most `LANES_OPEN_MAX` that are not used up. */
export class SellerLanes {
  readonly #channel: PayChannel;
  readonly #desk: SellerDesk;
  readonly #owner: LaneOwner;
  readonly #lanes = new Map<string, SellerLane>();
  readonly #gate = new RateGate(VOUCHERS_PER_SECOND, VOUCHERS_BURST);
  #paid: Atto = ZERO_ATTO;
  #funds: Atto = ZERO_ATTO;
  #admitted = 0;
  /** A voucher waits for the rate limit. */
  #isHeldBack = false;

  constructor(channel: PayChannel, desk: SellerDesk, owner: LaneOwner) {
    this.#channel = channel;
    this.#desk = desk;
    this.#owner = owner;
  }

  /** Received on this connection, over all of its lanes. */
  get paid(): Atto {
    return this.#paid;
  }

  /** What all lanes of this connection can pay, with what they have paid. */
  get funds(): Atto {
    return this.#funds;
  }

  get isAdmitted(): boolean {
    return this.#admitted > 0;
  }

  /** Somebody else's turn: a lane or voucher is being checked. */
  get isChecking(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.checking || lane.waiting);
  }

  /** Who pays; null before the first lane. */
  get payer(): string | null {
    return this.#lanes.values().next().value?.offer.header.payer ?? null;
  }

  onLane(offer: LaneMessage): void {
    const key = keyOf(offer.allotment, offer.lane.index);
    const { hello, now } = this.#channel;
    if (this.#lanes.has(key)) {
      this.#channel.refuse('lane-again', 'that lane is known');
      return;
    }
    if (this.#openCount() >= LANES_OPEN_MAX) {
      this.#channel.refuse('lane-too-many', 'use up the lanes you opened first');
      return;
    }
    if (this.#desk.losses.isOverdrawn(offer.header.payer, now)) {
      this.#channel.refuse('lane-debt', 'this payer left too much unpaid: try again later');
      return;
    }
    const user = this.#desk.lanes.get(key);
    if (user && user.identity !== hello?.payee) {
      this.#channel.refuse('lane-in-use', 'another connection pays with that lane');
      return;
    }
    user?.loseLane(key);
    this.#desk.lanes.set(key, this.#owner.owner);
    const lane = { offer, admittedAt: null, best: ZERO_ATTO, waiting: null, checking: null };
    this.#lanes.set(key, lane);
    this.#admit(key, lane);
  }

  onVoucher(voucher: VoucherMessage): void {
    const lane = this.#lanes.get(keyOf(voucher.allotment, voucher.lane));
    if (!lane) {
      this.#channel.refuse('voucher-unknown-lane', 'no such lane was offered');
      return;
    }
    if (voucher.amount > lane.offer.lane.cap) {
      this.#channel.refuse('voucher-above-cap', 'the amount is above the cap of the lane');
      return;
    }
    const known = (lane.waiting ?? lane.checking)?.amount ?? lane.best;
    if (voucher.amount <= known) {
      this.#channel.refuse('voucher-not-more', 'a voucher must add to the one before');
      return;
    }
    lane.waiting = voucher;
    this.#check(lane);
  }

  /** Tries again what waited for the rate limit. Called every tick, for every peer. */
  pump(): void {
    if (!this.#isHeldBack) return;
    this.#isHeldBack = false;
    for (const lane of this.#lanes.values()) this.#check(lane);
  }

  /** The connection is gone; the lanes may be used by another. */
  release(): void {
    for (const key of this.#lanes.keys()) this.lose(key);
  }

  lose(key: string): void {
    if (this.#desk.lanes.get(key) === this.#owner.owner) this.#desk.lanes.delete(key);
    const lane = this.#lanes.get(key);
    this.#lanes.delete(key);
    if (!lane || lane.admittedAt === null) return;
    // What it has paid stays paid; what it could still have paid is gone.
    this.#funds = atto(this.#funds - (lane.offer.lane.cap - lane.best));
    this.#admitted--;
  }

  #openCount(): number {
    let open = 0;
    for (const lane of this.#lanes.values()) if (lane.best < lane.offer.lane.cap) open++;
    return open;
  }

  #admit(key: string, lane: SellerLane): void {
    this.#desk.book.admitLane(lane.offer, (admission) => {
      if (this.#channel.isClosed || this.#lanes.get(key) !== lane) return;
      if (!admission.ok) {
        this.lose(key);
        return this.#channel.refuse(worded('lane', admission.refusal.code), admission.refusal.text);
      }
      const { cap } = lane.offer.lane;
      lane.admittedAt = admission.earned;
      lane.best = admission.earned;
      this.#funds = addAtto(this.#funds, atto(cap - admission.earned));
      this.#admitted++;
      const { allotment } = lane.offer;
      const happened = { type: 'lane', side: 'selling', allotment } as const;
      this.#channel.tell({ ...happened, lane: lane.offer.lane.index, cap });
      this.#acknowledge(lane, this.#owner.owner.terms);
      this.#owner.onAdmitted();
      this.#check(lane);
    });
  }

  #check(lane: SellerLane): void {
    const voucher = lane.waiting;
    if (!voucher || lane.checking || lane.admittedAt === null) return;
    if (voucher.amount <= lane.best) {
      lane.waiting = null;
      return;
    }
    if (!this.#gate.pass(this.#channel.now)) {
      this.#isHeldBack = true;
      return;
    }
    lane.waiting = null;
    lane.checking = voucher;
    const { allotment, lane: index, amount, signature } = voucher;
    const context = this.#channel.context(this.#owner.owner.terms.metered);
    const signed = { voucher: { allotment, lane: index, amount }, signature };
    this.#desk.book.acceptVoucher(signed, context, (outcome) => {
      lane.checking = null;
      if (this.#channel.isClosed) return;
      if (!outcome.ok)
        this.#channel.refuse(worded('voucher', outcome.refusal.code), outcome.refusal.text);
      else this.#onStored(lane, outcome.earned);
      this.#check(lane);
    });
  }

  #onStored(lane: SellerLane, earned: Atto): void {
    if (earned <= lane.best) return;
    const gained = atto(earned - lane.best);
    lane.best = earned;
    this.#paid = addAtto(this.#paid, gained);
    this.#acknowledge(lane, this.#owner.onPaid(gained, lane.offer.header.payer));
    if (this.#isSpent(lane)) this.#forget(lane);
  }

  /** A full lane has nothing more to say: it leaves the map, so that the map stays small. */
  #forget(lane: SellerLane): void {
    const key = keyOf(lane.offer.allotment, lane.offer.lane.index);
    if (this.#lanes.size > LANES_OPEN_MAX) {
      this.#lanes.delete(key);
      this.#desk.lanes.delete(key);
    }
  }

  #isSpent(lane: SellerLane): boolean {
    return lane.best >= lane.offer.lane.cap;
  }

  #acknowledge(
    lane: SellerLane,
    terms: { readonly window: number; readonly metered: number },
  ): void {
    this.#channel.send({
      type: 'ack',
      allotment: lane.offer.allotment,
      lane: lane.offer.lane.index,
      amount: lane.best,
      metered: bytes(terms.metered),
      window: bytes(terms.window),
    });
  }
}

/** The name of a lane in maps. */
function keyOf(allotment: string, lane: number): string {
  return `${allotment}:${lane}`;
}

/** A code whose first word tells the buyer what was refused, whatever the book calls it. */
function worded(subject: 'lane' | 'voucher', code: string): string {
  return code.startsWith(`${subject}-`) || code.startsWith('path-') ? code : `${subject}-${code}`;
}
