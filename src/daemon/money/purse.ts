/**
 * The buyer's money. Lanes are reserved many at a time, one allotment for all that ask within a few
 * seconds; vouchers are signed with the hot key and noted on the disk before they leave.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chain, MinedReceipt, SendQueue } from '../../chain/index.ts';
import type { BuyerPurse, LaneGrant, PaymentContext, SignOutcome } from '../../exchange/index.ts';
import {
  type AllotmentHeader,
  allotmentId,
  buildLaneTree,
  type EscrowDigests,
  expiryAfter,
  headerHash,
  judgeSigning,
  LANE_LIFE_SECONDS_MIN,
  LANES_MAX,
  type LaneOffer,
  type LaneWish,
  laneRemainder,
  planLanes,
  type Secp256k1,
  type Voucher,
} from '../../payment/index.ts';
import type { GroupCommit } from '../../platform/database/index.ts';
import {
  type Address,
  AppError,
  ATTO_MAX,
  type Atto,
  atto,
  type Hash32,
  hash32FromBytes,
  instant,
  minAtto,
  ZERO_ATTO,
} from '../../units/index.ts';
import type { AllotmentRecords, OwnAllotment } from './allotment-records.ts';
import type { ChainClock } from './chain-clock.ts';
import type { Funding } from './funding.ts';
import type { HistoryRecords } from './history-records.ts';

/** What the purse works with. */
export interface PurseParts {
  readonly chain: Chain;
  readonly queue: SendQueue;
  readonly funding: Funding;
  readonly allotments: AllotmentRecords;
  readonly history: HistoryRecords;
  readonly group: GroupCommit;
  readonly clock: ChainClock;
  readonly digests: EscrowDigests;
  readonly secp256k1: Secp256k1;
  readonly hotKey: Uint8Array;
}

/** The purse's tunables. */
export interface PurseOptions {
  /** How long the first wishes are gathered; a download should start at once. Default 50 ms. */
  readonly firstGatherMs?: number;
  /** The least time between two allotments. Default 5,000 ms. */
  readonly gatherMs?: number;
  /** Default 3 days. */
  readonly termDays?: number;
}

/** Wishes that wait at one time; more are refused. */
const WISHES_MAX = 1_024;

/** A lane of an earlier session is used again when it can still pay this part of what is wanted. */
const REUSE_PART = 4n;

/** A lane must be good for a minute longer than the seller asks for: clocks differ. */
const REUSE_LIFE_SECONDS_MIN = LANE_LIFE_SECONDS_MIN + 60;

/** Looks for an opened allotment at depth; half an hour on a chain with blocks of 2 s. */
const DEPTH_LOOKS_MAX = 900;

interface PendingWish extends LaneWish {
  readonly done: (grant: LaneGrant) => void;
}

interface HeldLane {
  readonly offer: LaneOffer;
  signed: Atto;
  isBusy: boolean;
}

/** Implements the exchange's purse for one wallet. */
export class Purse implements BuyerPurse {
  readonly #parts: PurseParts;
  readonly #options: Required<PurseOptions>;
  readonly #signer: Address;
  readonly #lanes = new Map<string, HeldLane>();
  #wishes: PendingWish[] = [];
  #timer: NodeJS.Timeout | null = null;
  #lastOpenedAtMs = Number.NEGATIVE_INFINITY;
  #opening: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: PurseParts, options: PurseOptions = {}) {
    this.#parts = parts;
    this.#options = { firstGatherMs: 50, gatherMs: 5_000, termDays: 3, ...options };
    this.#signer = parts.secp256k1.publicAddress(parts.hotKey);
    for (const allotment of parts.allotments.inState('open')) this.#hold(allotment);
  }

  requestLane(payee: Address, cap: Atto, done: (grant: LaneGrant) => void): void {
    if (this.#isClosed) {
      done(refuse('purse-closed', 'the wallet is being closed'));
      return;
    }
    if (cap === ZERO_ATTO) {
      done(refuse('purse-nothing', 'a lane of zero pays nobody'));
      return;
    }
    this.#reuse(payee, cap).then(
      (grant) => (grant ? done(grant) : this.#wish({ payee, cap, since: instant(nowMs()), done })),
      (error: unknown) => done(refusalOf(error)),
    );
  }

  signVoucher(voucher: Voucher, context: PaymentContext, done: (out: SignOutcome) => void): void {
    const lane = this.#lanes.get(keyOf(voucher.allotment, voucher.lane));
    if (!lane) {
      done(refuse('sign-unknown-lane', 'this purse has no such lane'));
      return;
    }
    const { header, lane: reserved } = lane.offer;
    const held = { header, lane: reserved, signed: lane.signed };
    const { clock, digests, secp256k1, hotKey, group, allotments, history } = this.#parts;
    const now = clock.now();
    // What may be spent is the exchange's decision; what is reserved in the lane is the limit here.
    const verdict = judgeSigning(voucher, held, { now, budgetLeft: atto(ATTO_MAX) });
    if (!verdict.ok) {
      done(verdict);
      return;
    }
    const signature = secp256k1.sign(digests.voucher(voucher), hotKey);
    lane.signed = voucher.amount;
    const account = reserved.payee;
    history.count({ side: 'bought', account, context, amount: verdict.adds });
    group.add(
      () => {
        allotments.setSigned(voucher.allotment, voucher.lane, voucher.amount);
        history.writeTraffic(clock.nowMs());
      },
      (error) => done(error ? refusalOf(error) : { ok: true, signed: { voucher, signature } }),
    );
  }

  releaseLane(allotment: string, lane: number): void {
    const held = this.#lanes.get(keyOf(allotment, lane));
    if (held) held.isBusy = false;
  }

  /** The allotment is closed or expired: its lanes pay nobody any more. */
  drop(allotment: Hash32): void {
    for (const [key, { offer }] of this.#lanes) {
      if (offer.allotment === allotment) this.#lanes.delete(key);
    }
  }

  /** Settles allotments that a crash left half opened. */
  async reconcile(): Promise<void> {
    for (const allotment of this.#parts.allotments.inState('opening')) {
      // Its transaction may be on its way again: the queue pursues what was journaled.
      await this.#parts.queue.waitFor(purposeOf(allotment.id))?.catch(() => undefined);
      const head = await this.#parts.chain.escrow.head(allotment.id);
      const isOpen = head === headerHash(allotment.header);
      this.#parts.allotments.setState(allotment.id, isOpen ? 'open' : 'failed');
      if (!isOpen) continue;
      this.#hold(allotment);
      this.#remember(allotment, null);
    }
  }

  /** Refuses what waits and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#refuseAll(this.#wishes.splice(0), refuse('purse-closed', 'the wallet is being closed'));
    await this.#opening;
  }

  /** A lane of the same payee that an earlier session, or an earlier run, left unused. */
  async #reuse(payee: Address, cap: Atto): Promise<LaneGrant | null> {
    const now = this.#parts.clock.now();
    for (const held of this.#lanes.values()) {
      const { header, lane } = held.offer;
      if (held.isBusy || lane.payee !== payee) continue;
      if (header.expiry - now < REUSE_LIFE_SECONDS_MIN) continue;
      const left = laneRemainder({ header, lane, signed: held.signed });
      if (left === ZERO_ATTO || left * REUSE_PART < cap) continue;
      held.isBusy = true;
      // A claimed lane stays busy for ever: nothing can be paid with it.
      if (await this.#parts.chain.escrow.isClaimed(held.offer.allotment, lane.index)) continue;
      return { ok: true, offer: held.offer, signed: held.signed };
    }
    return null;
  }

  #wish(wish: PendingWish): void {
    if (this.#isClosed || this.#wishes.length >= WISHES_MAX) {
      wish.done(refuse('purse-busy', 'too many lanes are being asked for'));
      return;
    }
    this.#wishes.push(wish);
    this.#gather();
  }

  /** Opens an allotment for the wishes that are there after a while. */
  #gather(): void {
    if (this.#timer) return;
    const { firstGatherMs, gatherMs } = this.#options;
    const wait = Math.max(firstGatherMs, this.#lastOpenedAtMs + gatherMs - nowMs());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lastOpenedAtMs = nowMs();
      this.#opening = this.#opening.then(() => this.#openForWishes());
    }, wait);
  }

  async #openForWishes(): Promise<void> {
    const wishes = this.#wishes.splice(0, LANES_MAX);
    if (this.#wishes.length > 0) this.#gather();
    try {
      await this.#parts.clock.refresh();
      const least = wishes.reduce((least, { cap }) => minAtto(cap, least), atto(ATTO_MAX));
      const capMin = atto(least / REUSE_PART || 1n);
      const available = await this.#parts.funding.available();
      const planned = planLanes(wishes, { available, capMin });
      const poor = refuse('purse-empty', 'the wallet has too little BTT for another lane');
      this.#refuseAll(wishes.slice(planned.length), poor);
      wishes.length = planned.length;
      if (planned.length > 0) await this.#open(planned, wishes);
    } catch (error) {
      this.#refuseAll(wishes, refusalOf(error));
    }
  }

  async #open(planned: readonly LaneWish[], wishes: readonly PendingWish[]): Promise<void> {
    const { chain, queue, funding, allotments, clock } = this.#parts;
    const { root, sum, depth, laneCount, lanes } = buildLaneTree(planned);
    const expiry = expiryAfter(clock.now(), this.#options.termDays);
    const payer = queue.account;
    const header: AllotmentHeader = {
      payer,
      root,
      sum,
      expiry,
      signer: this.#signer,
      depth,
      laneCount,
    };
    await funding.ensureFree(sum);
    const salt = hash32FromBytes(randomBytes(32));
    const allotment: OwnAllotment = {
      id: allotmentId(payer, salt),
      salt,
      header,
      state: 'opening',
    };
    allotments.add(allotment, lanes, clock.nowMs());
    const purpose = purposeOf(allotment.id);
    const receipt = await chain.escrow.open(queue, { salt, header }, { purpose });
    this.#remember(allotment, receipt);
    allotments.setState(allotment.id, 'open');
    const held = this.#hold(allotment);
    // The next allotment need not wait for this one's depth.
    void this.#grantAtDepth(allotment, held, wishes);
  }

  #remember({ id, header }: OwnAllotment, receipt: MinedReceipt | null): void {
    const { history, clock } = this.#parts;
    history.add({
      atMs: clock.nowMs(),
      kind: 'open',
      amount: header.sum,
      // After a crash the receipt is not looked up again: the amount is what matters.
      fee: receipt?.fee ?? ZERO_ATTO,
      subject: id,
      transactionHash: receipt?.hash ?? '',
    });
  }

  async #grantAtDepth(
    allotment: OwnAllotment,
    held: readonly HeldLane[],
    wishes: readonly PendingWish[],
  ): Promise<void> {
    // Their payees hold them from now on, even while we wait: nobody else may take them.
    for (const lane of held) lane.isBusy = true;
    try {
      await this.#untilAtDepth(allotment);
    } catch (error) {
      for (const lane of held) lane.isBusy = false;
      this.#refuseAll(wishes, refusalOf(error));
      return;
    }
    for (const [at, wish] of wishes.entries()) {
      const lane = held[at];
      if (lane) wish.done({ ok: true, offer: lane.offer, signed: lane.signed });
    }
  }

  async #untilAtDepth({ id, header }: OwnAllotment): Promise<void> {
    const { chain } = this.#parts;
    const depth = chain.depthFor(header.sum);
    for (let look = 0; look < DEPTH_LOOKS_MAX && !this.#isClosed; look++) {
      const tag = await chain.blockAtDepth(depth);
      if ((await chain.escrow.head(id, tag)) === headerHash(header)) return;
      await sleep(chain.network.pollMs);
    }
    throw new Error('the allotment did not get deep enough into the chain');
  }

  #hold(allotment: OwnAllotment): readonly HeldLane[] {
    const { id, header } = allotment;
    const records = this.#parts.allotments.lanesOf(id);
    // Lanes of another signer were opened by other keys, and one found on the chain has no tree.
    if (records.length !== header.laneCount || header.signer !== this.#signer) return [];
    const { paths } = buildLaneTree(records.map(({ lane }) => lane));
    return records.map(({ lane, signed }) => {
      const path = paths[lane.index] ?? [];
      const offer: LaneOffer = { allotment: id, header, lane, path };
      const held: HeldLane = { offer, signed, isBusy: false };
      this.#lanes.set(keyOf(id, lane.index), held);
      return held;
    });
  }

  #refuseAll(wishes: readonly PendingWish[], grant: LaneGrant): void {
    for (const { done } of wishes) done(grant);
  }
}

function purposeOf(allotment: Hash32): string {
  return `open ${allotment}`;
}

function keyOf(allotment: string, lane: number): string {
  return `${allotment}/${lane}`;
}

function nowMs(): number {
  return performance.now();
}

interface Refused {
  readonly ok: false;
  readonly refusal: { readonly code: string; readonly text: string };
}

function refuse(code: string, text: string): Refused {
  return { ok: false, refusal: { code, text } };
}

/** A failure as the peer session sees it: our own words, without details. */
function refusalOf(error: unknown): Refused {
  if (error instanceof AppError) return refuse('purse-failed', error.message);
  return refuse('purse-failed', error instanceof Error ? error.message : String(error));
}
