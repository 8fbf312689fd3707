/**
 * The lanes a buying session pays with, one after another: asking for them, signing, giving back.
 */
import {
  type Address,
  type Atto,
  addAtto,
  atto,
  minAtto,
  subtractAttoFloor,
  ZERO_ATTO,
} from '../units/index.ts';
import type { AckMessage } from '../wire/index.ts';
import type { BuyerDesk } from './buyer-desk.ts';
import type { PayChannel } from './channel.ts';
import { LANE_RETRY_MS, LANE_USED_SHARE_PERCENT, LANES_OPEN_MAX } from './limits.ts';
import type { LaneGrant, SignOutcome } from './ports.ts';

/**
 * Lanes refused after something was signed, after which a connection buys no more: each may cost
 * one voucher paid twice.
 */
const LANES_LOST_MAX = 3;

interface BuyerLane {
  readonly allotment: LaneOfferOf['allotment'];
  readonly index: number;
  /** Signed when this session got it: what earlier sessions paid. */
  readonly start: Atto;
  /** Up to here this session may sign: the cap, or what the budget gave it. */
  readonly limit: Atto;
  /** Signed so far. Cumulative over the lane's life. */
  signed: Atto;
  /** The best amount the seller says it has stored; null before its first `ack`. */
  acknowledged: Atto | null;
}

type LaneOfferOf = Extract<LaneGrant, { ok: true }>['offer'];

/** What the lanes tell the session they belong to. */
export interface BuyerLaneOwner {
  readonly key: number;
  /** Something changed: look at what can be done now. */
  onChange(): void;
  /** No voucher and no lane will come: the purse said why. */
  onRefused(code: string, text: string): void;
  /** Bytes bought so far, for the history. */
  readonly boughtBytes: number;
}

/** Lanes of one connection toward one payee. */
export class BuyerLanes {
  readonly #channel: PayChannel;
  readonly #desk: BuyerDesk;
  readonly #owner: BuyerLaneOwner;
  #lanes: BuyerLane[] = [];
  #requested: Atto | null = null;
  #retryAt = 0;
  #lost = 0;
  #signing: Atto = ZERO_ATTO;
  #paid: Atto = ZERO_ATTO;

  constructor(channel: PayChannel, desk: BuyerDesk, owner: BuyerLaneOwner) {
    this.#channel = channel;
    this.#desk = desk;
    this.#owner = owner;
  }

  /** Signed away in this session and not known to be refused. */
  get paid(): Atto {
    return this.#paid;
  }

  get isSigning(): boolean {
    return this.#signing > 0n;
  }

  /** Being signed at this moment. */
  get signing(): Atto {
    return this.#signing;
  }

  /** A lane is on its way: from the purse, or on trial with the seller. */
  get isPending(): boolean {
    return this.#requested !== null || this.#lanes.some((lane) => lane.acknowledged === null);
  }

  /** Whether something can be paid now. */
  get isOpen(): boolean {
    return this.#current !== null;
  }

  /** The seller has stored all that was signed. */
  get isSettled(): boolean {
    return (
      !this.isSigning &&
      this.#lanes.every((lane) => lane.signed === lane.start || lane.acknowledged === lane.signed)
    );
  }

  /** What can still be signed on lanes the seller took. */
  get left(): Atto {
    let left = ZERO_ATTO;
    for (const lane of this.#lanes) {
      if (lane.acknowledged !== null)
        left = addAtto(left, subtractAttoFloor(lane.limit, lane.signed));
    }
    return left;
  }

  /** Whether the time for the next lane has come: none there, or the last one well used. */
  get isRunningOut(): boolean {
    const last = this.#lanes.at(-1);
    if (!last) return true;
    return (last.signed - last.start) * 100n >= (last.limit - last.start) * LANE_USED_SHARE_PERCENT;
  }

  /** Asks for a lane of `cap`, unless one is coming or was just refused. */
  request(payee: Address, cap: Atto): void {
    if (this.isPending || this.#lost >= LANES_LOST_MAX || this.#channel.now < this.#retryAt) return;
    if (this.#openCount() >= LANES_OPEN_MAX) return;
    this.#requested = cap;
    this.#desk.commit(cap);
    this.#desk.purse.requestLane(payee, cap, (grant) => {
      this.#requested = null;
      this.#desk.uncommit(cap);
      this.#onGrant(grant, cap);
    });
  }

  /** Signs `amount` more on the first lane that has room (less, if it has less), and sends it. */
  pay(amount: Atto): void {
    const lane = this.#current;
    if (!lane || this.isSigning || amount === 0n) return;
    const adds = minAtto(amount, subtractAttoFloor(lane.limit, lane.signed));
    const voucher = {
      allotment: lane.allotment,
      lane: lane.index,
      amount: addAtto(lane.signed, adds),
    };
    this.#signing = adds;
    const context = this.#channel.context(this.#owner.boughtBytes);
    this.#desk.purse.signVoucher(voucher, context, (outcome) => {
      this.#signing = ZERO_ATTO;
      this.#onSigned({ lane, adds, outcome });
    });
  }

  onAck(ack: AckMessage): void {
    const lane = this.#lanes.find(
      (one) => one.allotment === ack.allotment && one.index === ack.lane,
    );
    if (!lane || ack.amount > lane.signed) return;
    if (lane.acknowledged === null) {
      const happened = { type: 'lane', side: 'buying', allotment: lane.allotment } as const;
      this.#channel.tell({ ...happened, lane: lane.index, cap: lane.limit });
    }
    lane.acknowledged = ack.amount;
    this.#dropFull();
  }

  /**
   * The seller refused a lane, or what was signed on it: the one on trial, else the one in use.
   * What it never acknowledged counts as unpaid again.
   */
  onLaneRefused(): void {
    const lane = this.#lanes.find((one) => one.acknowledged === null) ?? this.#current;
    if (!lane) return;
    const stored = lane.acknowledged ?? lane.start;
    const paidHere = subtractAttoFloor(lane.signed, lane.start);
    const unacknowledged = subtractAttoFloor(paidHere, subtractAttoFloor(stored, lane.start));
    this.#paid = subtractAttoFloor(this.#paid, unacknowledged);
    if (lane.signed > lane.start) this.#lost++;
    this.#retryAt = this.#channel.now + LANE_RETRY_MS;
    this.#giveUp(lane);
  }

  /** The connection is gone: what the lanes hold may be used again. */
  release(): void {
    for (const lane of [...this.#lanes]) this.#giveUp(lane);
  }

  get #current(): BuyerLane | null {
    return (
      this.#lanes.find((lane) => lane.acknowledged !== null && lane.signed < lane.limit) ?? null
    );
  }

  #openCount(): number {
    return this.#lanes.filter((lane) => lane.signed < lane.limit).length;
  }

  #onGrant(grant: LaneGrant, cap: Atto): void {
    if (!grant.ok) {
      this.#retryAt = this.#channel.now + LANE_RETRY_MS;
      if (!this.#channel.isClosed) this.#owner.onRefused(grant.refusal.code, grant.refusal.text);
      return;
    }
    const { offer, signed } = grant;
    if (this.#channel.isClosed) {
      this.#desk.purse.releaseLane(offer.allotment, offer.lane.index);
      return;
    }
    // The purse may pass on an older, larger lane: the budget gave only `cap`.
    const usable = minAtto(cap, subtractAttoFloor(offer.lane.cap, signed));
    this.#desk.commit(usable);
    this.#lanes.push({
      allotment: offer.allotment,
      index: offer.lane.index,
      start: signed,
      limit: addAtto(signed, usable),
      signed,
      acknowledged: null,
    });
    this.#channel.send({ type: 'lane', ...offer });
    this.#owner.onChange();
  }

  #onSigned(done: {
    readonly lane: BuyerLane;
    readonly adds: Atto;
    readonly outcome: SignOutcome;
  }): void {
    const { lane, adds, outcome } = done;
    if (!outcome.ok) {
      if (this.#lanes.includes(lane)) this.#giveUp(lane);
      this.#retryAt = this.#channel.now + LANE_RETRY_MS;
      if (!this.#channel.isClosed)
        this.#owner.onRefused(outcome.refusal.code, outcome.refusal.text);
      return;
    }
    // A lane given up while the purse was signing has been uncommitted already.
    if (!this.#lanes.includes(lane)) this.#desk.commit(adds);
    lane.signed = addAtto(lane.signed, adds);
    this.#paid = addAtto(this.#paid, adds);
    this.#desk.spend(adds);
    const { voucher, signature } = outcome.signed;
    this.#channel.send({ type: 'voucher', ...voucher, signature });
    this.#channel.tell({ type: 'paid', amount: adds });
    if (!this.#channel.isClosed) this.#owner.onChange();
  }

  #giveUp(lane: BuyerLane): void {
    this.#lanes = this.#lanes.filter((one) => one !== lane);
    this.#desk.uncommit(atto(lane.limit - lane.signed));
    this.#desk.purse.releaseLane(lane.allotment, lane.index);
  }

  /** Lanes that are used up and acknowledged need no memory, but the last stays to be measured. */
  #dropFull(): void {
    this.#lanes = this.#lanes.filter(
      (lane, at) =>
        at === this.#lanes.length - 1 ||
        lane.signed < lane.limit ||
        lane.acknowledged !== lane.signed,
    );
  }
}
