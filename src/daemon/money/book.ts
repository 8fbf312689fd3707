/**
 * The seller's records. A lane is taken only when its header is on the chain at depth; a voucher
 * counts only when it is on the disk.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Chain, ChainError } from '../../chain/index.ts';
import type {
  LaneAdmission,
  PaymentContext,
  SellerBook,
  VoucherOutcome,
} from '../../exchange/index.ts';
import {
  type EscrowDigests,
  headerHash,
  judgeLane,
  judgeVoucher,
  KnownSigners,
  type LaneEntry,
  type LaneOffer,
  type Secp256k1,
  type SignedVoucher,
} from '../../payment/index.ts';
import type { GroupCommit } from '../../platform/database/index.ts';
import { type Address, type Atto, type Hash32, ZERO_ATTO } from '../../units/index.ts';
import type { ChainClock } from './chain-clock.ts';
import type { Earning, EarningRecords, EarningState } from './earning-records.ts';
import type { HistoryRecords } from './history-records.ts';

/** What the book works with. */
export interface BookParts {
  readonly chain: Chain;
  readonly payee: Address;
  readonly earnings: EarningRecords;
  readonly history: HistoryRecords;
  readonly group: GroupCommit;
  readonly clock: ChainClock;
  readonly digests: EscrowDigests;
  readonly secp256k1: Secp256k1;
}

/** The book's tunables. */
export interface BookOptions {
  /** A voucher must add this much: bounds the signatures to check. Default 1 atto. */
  readonly incrementMin?: Atto;
  /** Our node may be some blocks behind the buyer's. Default 50 polls of the network. */
  readonly patienceMs?: number;
}

/** Lanes being checked on the chain at one time; more are refused. */
const ADMISSIONS_MAX = 256;

/** Lanes kept in the book; beyond it no new one is taken until some are claimed. */
const LANES_MAX = 100_000;

/** A lane as the book works with it. */
interface BookLane {
  readonly offer: LaneOffer;
  entry: LaneEntry;
  signature: Uint8Array;
  state: EarningState;
  updatedAtMs: number;
}

/** A lane that can be claimed, with the voucher to claim it with. */
export interface ClaimableLane {
  readonly offer: LaneOffer;
  readonly signed: SignedVoucher;
  readonly updatedAtMs: number;
}

/** Implements the exchange's book for one payee. */
export class Book implements SellerBook {
  readonly #parts: BookParts;
  readonly #incrementMin: Atto;
  readonly #patienceMs: number;
  readonly #lanes = new Map<string, BookLane>();
  readonly #dirty = new Set<BookLane>();
  readonly #signers: KnownSigners;
  #admissions = 0;
  #isClosed = false;

  constructor(parts: BookParts, options: BookOptions = {}) {
    this.#parts = parts;
    this.#signers = new KnownSigners(parts.secp256k1);
    this.#incrementMin = options.incrementMin ?? (1n as Atto);
    this.#patienceMs = options.patienceMs ?? parts.chain.network.pollMs * 50;
    for (const earning of parts.earnings.live()) this.#keep(earning);
  }

  admitLane(offer: LaneOffer, done: (admission: LaneAdmission) => void): void {
    if (this.#isClosed) {
      done(BOOK_CLOSED);
      return;
    }
    const { payee, clock } = this.#parts;
    const known = this.#find(offer.allotment, offer.lane.index);
    if (known) {
      done(this.#readmit(known, offer));
      return;
    }
    const verdict = judgeLane(offer, { payee, now: clock.now() });
    if (!verdict.ok) {
      done(verdict);
      return;
    }
    if (this.#admissions >= ADMISSIONS_MAX || this.#lanes.size >= LANES_MAX) {
      done(refuse('lane-busy', 'too many lanes are being checked: offer it again later'));
      return;
    }
    this.#admissions++;
    this.#checkOnChain(offer).then(
      (admission) => {
        this.#admissions--;
        if (this.#isClosed) done(BOOK_CLOSED);
        else if (admission.ok) this.#write(offer, verdict.entry, done);
        else done(admission);
      },
      (error: unknown) => {
        this.#admissions--;
        done(refusalOf(error));
      },
    );
  }

  acceptVoucher(
    signed: SignedVoucher,
    context: PaymentContext,
    done: (outcome: VoucherOutcome) => void,
  ): void {
    if (this.#isClosed) {
      done(BOOK_CLOSED);
      return;
    }
    const { allotment, lane: index } = signed.voucher;
    const lane = this.#lanes.get(keyOf(allotment, index));
    if (lane && lane.state !== 'live') {
      done(CLAIMED);
      return;
    }
    const { clock, digests, history } = this.#parts;
    const incrementMin = this.#incrementMin;
    const rules = { now: clock.now(), digests, signers: this.#signers, incrementMin };
    const verdict = judgeVoucher(signed, lane?.entry, rules);
    if (!lane || !verdict.ok) {
      done(verdict.ok ? CLAIMED : verdict);
      return;
    }
    lane.entry = verdict.entry;
    lane.signature = signed.signature.slice();
    lane.updatedAtMs = clock.nowMs();
    const account = lane.offer.header.payer;
    history.count({ side: 'sold', account, context, amount: verdict.gained });
    const earned = verdict.entry.best;
    this.#commit(lane, (error) => done(error ? refusalOf(error) : { ok: true, earned }));
  }

  /** Lanes with something in them that nobody is claiming. */
  claimable(): readonly ClaimableLane[] {
    return [...this.#lanes.values()]
      .filter(({ state, entry }) => state === 'live' && entry.best > ZERO_ATTO)
      .map(claimableOf);
  }

  /** What vouchers promise and no claim has cashed yet. */
  unclaimed(): Atto {
    let sum = 0n;
    for (const { entry, state } of this.#lanes.values()) {
      if (state === 'live' || state === 'claiming') sum += entry.best;
    }
    return sum as Atto;
  }

  /** Lanes whose claim was begun, by this process or by one that ended before it knew the end. */
  claiming(): readonly ClaimableLane[] {
    return [...this.#lanes.values()].filter(({ state }) => state === 'claiming').map(claimableOf);
  }

  /**
   * From now on until `setState`, vouchers of these lanes are refused: a claim ends a lane. On the
   * disk when this resolves, as the claim may go through after we have crashed.
   */
  async beginClaim(lanes: readonly ClaimableLane[]): Promise<void> {
    const begin = ({ offer: { allotment, lane } }: ClaimableLane): Promise<void> =>
      this.setState(allotment, lane.index, 'claiming');
    await Promise.all(lanes.map(begin));
  }

  /** Notes what became of a lane; on the disk when this resolves. */
  setState(allotment: Hash32, index: number, state: EarningState): Promise<void> {
    const key = keyOf(allotment, index);
    const lane = this.#lanes.get(key);
    if (!lane) return Promise.resolve();
    lane.state = state;
    if (state === 'claimed' || state === 'lost') this.#lanes.delete(key);
    return new Promise((resolve, reject) => {
      this.#commit(lane, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Forgets lanes that expired with nothing in them, or before they could be claimed. */
  expire(): void {
    const now = this.#parts.clock.now();
    for (const { offer, state } of [...this.#lanes.values()]) {
      if (state !== 'live' || now <= offer.header.expiry) continue;
      void this.setState(offer.allotment, offer.lane.index, 'lost');
    }
  }

  /** Takes nothing more: the ledger is about to be closed. */
  close(): void {
    this.#isClosed = true;
  }

  /** In memory while live, on the disk for ever. */
  #find(allotment: Hash32, index: number): BookLane | null {
    const lane = this.#lanes.get(keyOf(allotment, index));
    if (lane) return lane;
    const earning = this.#parts.earnings.find(allotment, index);
    return earning && bookLane(earning);
  }

  #readmit(known: BookLane, offer: LaneOffer): LaneAdmission {
    // The header was checked when the lane was taken; here only that it is the same one.
    const isSame =
      headerHash(known.offer.header) === headerHash(offer.header) &&
      known.offer.lane.cap === offer.lane.cap;
    if (!isSame) return refuse('lane-unknown', 'this is not the lane that was taken before');
    if (known.state !== 'live') return CLAIMED;
    const { payee, clock } = this.#parts;
    const verdict = judgeLane(offer, { payee, now: clock.now() });
    return verdict.ok ? { ok: true, earned: known.entry.best } : verdict;
  }

  async #checkOnChain(offer: LaneOffer): Promise<LaneAdmission> {
    const { chain } = this.#parts;
    const { allotment, header, lane } = offer;
    const depth = chain.depthFor(lane.cap);
    const deadline = performance.now() + this.#patienceMs;
    for (;;) {
      const head = await chain.escrow.head(allotment, await chain.blockAtDepth(depth));
      if (head === headerHash(header)) break;
      if (performance.now() >= deadline) {
        return refuse('lane-unknown', 'the allotment is not on the chain at depth');
      }
      await sleep(chain.network.pollMs);
    }
    await this.#parts.clock.refresh();
    if (await chain.escrow.isClaimed(allotment, lane.index)) return CLAIMED;
    return { ok: true, earned: ZERO_ATTO };
  }

  #write(offer: LaneOffer, entry: LaneEntry, done: (admission: LaneAdmission) => void): void {
    // The same lane may have been offered twice while we looked at the chain.
    const known = this.#find(offer.allotment, offer.lane.index);
    if (known) {
      done(this.#readmit(known, offer));
      return;
    }
    const updatedAtMs = this.#parts.clock.nowMs();
    const signature = new Uint8Array();
    const lane: BookLane = { offer, entry, signature, state: 'live', updatedAtMs };
    this.#lanes.set(keyOf(entry.allotment, entry.lane), lane);
    this.#commit(lane, (error) => done(error ? refusalOf(error) : { ok: true, earned: ZERO_ATTO }));
  }

  /** Many vouchers of a lane in one group are one write: the best. */
  #commit(lane: BookLane, onDurable: (error: Error | null) => void): void {
    this.#dirty.add(lane);
    this.#parts.group.add(
      () => this.#writeDirty(),
      (error) => {
        // What was rolled back is written again with the next group.
        if (error) this.#dirty.add(lane);
        onDurable(error);
      },
    );
  }

  #writeDirty(): void {
    const { earnings, history, clock } = this.#parts;
    for (const { offer, entry, signature, state, updatedAtMs } of this.#dirty) {
      earnings.put({ offer, best: entry.best, signature, state, updatedAtMs });
    }
    this.#dirty.clear();
    history.writeTraffic(clock.nowMs());
  }

  #keep(earning: Earning): void {
    const { allotment, lane } = earning.offer;
    this.#lanes.set(keyOf(allotment, lane.index), bookLane(earning));
  }
}

function claimableOf({ offer, entry, signature, updatedAtMs }: BookLane): ClaimableLane {
  const { allotment, lane, best: amount } = entry;
  return { offer, signed: { voucher: { allotment, lane, amount }, signature }, updatedAtMs };
}

function bookLane({ offer, best, signature, state, updatedAtMs }: Earning): BookLane {
  const { allotment, header, lane } = offer;
  const entry: LaneEntry = {
    allotment,
    lane: lane.index,
    signer: header.signer,
    cap: lane.cap,
    expiry: header.expiry,
    best,
  };
  return { offer, entry, signature, state, updatedAtMs };
}

function keyOf(allotment: Hash32, lane: number): string {
  return `${allotment}/${lane}`;
}

interface Refused {
  readonly ok: false;
  readonly refusal: { readonly code: string; readonly text: string };
}

const BOOK_CLOSED: Refused = refuse('book-failed', 'the wallet is being closed');

const CLAIMED: Refused = refuse('lane-claimed', 'the lane was claimed: offer another');

function refuse(code: string, text: string): Refused {
  return { ok: false, refusal: { code, text } };
}

/** A failure as the peer is told it: what it is about, and none of our addresses or paths. */
function refusalOf(error: unknown): Refused {
  if (error instanceof ChainError) return refuse('lane-chain', 'the chain cannot be asked now');
  return refuse('book-failed', 'the voucher could not be stored');
}
