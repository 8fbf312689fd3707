/** Cashes earned lanes: in batches, when they are worth the gas or about to expire. */
import { type Chain, isChainError, type MinedReceipt, type SendQueue } from '../../chain/index.ts';
import {
  CLAIM_LANES_MAX,
  type ClaimCandidate,
  claimableSignature,
  type EscrowDigests,
  gasShareOf,
  planClaims,
  type Secp256k1,
} from '../../payment/index.ts';
import {
  type Atto,
  addAtto,
  atto,
  type Hash32,
  parseHash32,
  ZERO_ATTO,
} from '../../units/index.ts';
import type { Book, ClaimableLane } from './book.ts';
import type { ChainClock } from './chain-clock.ts';
import type { HistoryRecords } from './history-records.ts';

/** What claiming works with. */
export interface ClaimParts {
  readonly chain: Chain;
  readonly queue: SendQueue;
  readonly book: Book;
  readonly history: HistoryRecords;
  readonly clock: ChainClock;
  readonly digests: EscrowDigests;
  readonly secp256k1: Secp256k1;
}

/** What a round of claims did. */
export interface ClaimSummary {
  readonly laneCount: number;
  readonly amount: Atto;
  /** Gas paid. */
  readonly fee: Atto;
  /** Lanes left because they are worth less than their gas. */
  readonly notWorthCount: number;
}

/** A lane without a voucher for so long counts as done: its buyer is gone. */
const LANE_IDLE_MS = 10 * 60_000;

/** By this a claim is found again in the journal. */
const PURPOSE = 'claim ';

/** What the contract has for an allotment that is closed for ever. */
const CLOSED_HEAD: Hash32 = parseHash32(`0x${'0'.repeat(63)}1`);

/** Claims of one wallet. One round at a time. */
export class Claims {
  readonly #parts: ClaimParts;
  /** Allotments that the chain does not know in this round. */
  readonly #forgotten = new Set<Hash32>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ClaimParts) {
    this.#parts = parts;
  }

  /** Claims what is due by itself. */
  claimDue(): Promise<ClaimSummary> {
    return this.#inTurn(() => this.#claimWhile((lanes) => this.#dueOf(lanes)));
  }

  /** Claims everything that brings more than its gas. It ends these lanes, also those in use. */
  claimAll(): Promise<ClaimSummary> {
    return this.#inTurn(() => this.#claimWhile((lanes) => this.#worthyOf(lanes)));
  }

  /** Finds out what became of claims that the last process began: before vouchers are taken. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      const { chain, queue, book } = this.#parts;
      for (const { purpose } of queue.pending) {
        if (purpose.startsWith(PURPOSE)) await queue.waitFor(purpose)?.catch(() => undefined);
      }
      for (const lane of book.claiming()) {
        const { allotment, lane: reserved } = lane.offer;
        const isTaken = await chain.escrow.isClaimed(allotment, reserved.index);
        if (isTaken) await this.#giveUp({ lane, reason: 'ClaimTaken' });
        else await book.setState(allotment, reserved.index, 'live');
      }
    });
  }

  async #claimWhile(
    choose: (lanes: readonly ClaimableLane[]) => Promise<readonly ClaimableLane[]>,
  ): Promise<ClaimSummary> {
    this.#parts.book.expire();
    this.#forgotten.clear();
    let summary: ClaimSummary = {
      laneCount: 0,
      amount: ZERO_ATTO,
      fee: ZERO_ATTO,
      notWorthCount: 0,
    };
    for (;;) {
      const claimable = this.#parts.book
        .claimable()
        .filter(({ offer }) => !this.#forgotten.has(offer.allotment));
      const batch = await choose(claimable);
      if (batch.length === 0) return { ...summary, notWorthCount: claimable.length };
      summary = await this.#claimBatch(batch, summary);
    }
  }

  async #dueOf(lanes: readonly ClaimableLane[]): Promise<readonly ClaimableLane[]> {
    const { chain, clock } = this.#parts;
    const byCandidate = new Map<ClaimCandidate, ClaimableLane>();
    for (const lane of lanes) byCandidate.set(candidateOf(lane, clock.nowMs()), lane);
    const costs = { now: clock.now(), attoPerGas: await chain.gasPrice() };
    return planClaims([...byCandidate.keys()], costs).flatMap(
      (candidate) => byCandidate.get(candidate) ?? [],
    );
  }

  async #worthyOf(lanes: readonly ClaimableLane[]): Promise<readonly ClaimableLane[]> {
    const attoPerGas = await this.#parts.chain.gasPrice();
    const now = this.#parts.clock.now();
    let batch = lanes
      .filter(({ offer }) => now <= offer.header.expiry)
      .sort((a, b) => (a.signed.voucher.amount < b.signed.voucher.amount ? 1 : -1))
      .slice(0, CLAIM_LANES_MAX);
    while (batch.length > 0) {
      const share = gasShareOf(batch.length, attoPerGas);
      const worth = batch.filter(({ signed }) => signed.voucher.amount > share);
      if (worth.length === batch.length) break;
      batch = worth;
    }
    return batch;
  }

  async #claimBatch(batch: readonly ClaimableLane[], before: ClaimSummary): Promise<ClaimSummary> {
    const { chain, queue, book, history, clock } = this.#parts;
    await book.beginClaim(batch);
    let receipt: MinedReceipt;
    try {
      const purpose = `${PURPOSE}${batch.length} lanes`;
      const claims = batch.map((lane) => this.#asTheContractTakesIt(lane));
      receipt = await chain.escrow.claim(queue, claims, { purpose });
    } catch (error) {
      // It may be on its way, and then the next start pursues it.
      if (isChainError(error, 'CHAIN_CLOSED')) throw error;
      const refused = refusedLane(error, batch);
      for (const { offer } of batch) {
        await book.setState(offer.allotment, offer.lane.index, 'live');
      }
      // One bad lane spoils the batch: it is taken out, and the round goes on without it.
      if (!refused) throw error;
      await this.#giveUp(refused);
      return before;
    }
    const amount = batch.reduce((sum, { signed }) => sum + signed.voucher.amount, 0n);
    for (const { offer } of batch) {
      await book.setState(offer.allotment, offer.lane.index, 'claimed');
    }
    history.add({
      atMs: clock.nowMs(),
      kind: 'claim',
      amount: atto(amount),
      fee: receipt.fee,
      subject: `${batch.length} lanes`,
      transactionHash: receipt.hash,
    });
    return {
      ...before,
      laneCount: before.laneCount + batch.length,
      amount: addAtto(before.amount, atto(amount)),
      fee: addAtto(before.fee, receipt.fee),
    };
  }

  /**
   * `ClaimTaken`: our own claim went through although we crashed before we saw it. `ClaimUnknown`:
   * the allotment is closed for ever, or the chain has rolled back and will have it again.
   */
  async #giveUp({ lane, reason }: RefusedLane): Promise<void> {
    const { chain, book, history, clock } = this.#parts;
    const { allotment, lane: reserved } = lane.offer;
    if (reason === 'ClaimUnknown' && (await chain.escrow.head(allotment)) !== CLOSED_HEAD) {
      this.#forgotten.add(allotment);
      return;
    }
    const isTaken = reason === 'ClaimTaken';
    await book.setState(allotment, reserved.index, isTaken ? 'claimed' : 'lost');
    if (!isTaken) return;
    history.add({
      atMs: clock.nowMs(),
      kind: 'claim',
      amount: lane.signed.voucher.amount,
      fee: ZERO_ATTO,
      subject: 'found claimed after a restart',
      transactionHash: '',
    });
  }

  /** With the right `v`, which a voucher that was checked by public key may lack. */
  #asTheContractTakesIt(lane: ClaimableLane): ClaimableLane {
    const { digests, secp256k1 } = this.#parts;
    const { voucher, signature } = lane.signed;
    const told = { digest: digests.voucher(voucher), signature };
    const right = claimableSignature(secp256k1, lane.offer.header.signer, told);
    // Null only for a damaged ledger: then the contract names the lane, and it is taken out.
    return right ? { ...lane, signed: { voucher, signature: right } } : lane;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function candidateOf(lane: ClaimableLane, nowMs: number): ClaimCandidate {
  const { offer, signed, updatedAtMs } = lane;
  return {
    allotment: offer.allotment,
    lane: offer.lane.index,
    best: signed.voucher.amount,
    cap: offer.lane.cap,
    expiry: offer.header.expiry,
    isActive: nowMs - updatedAtMs < LANE_IDLE_MS,
  };
}

interface RefusedLane {
  readonly lane: ClaimableLane;
  readonly reason: string;
}

/** The lane that the contract names in its error, `ClaimTaken(3)`; null when it names none. */
function refusedLane(error: unknown, batch: readonly ClaimableLane[]): RefusedLane | null {
  if (!isChainError(error, 'CHAIN_REVERTED')) return null;
  const match = /^(Claim\w+)\((\d+)\)$/.exec(String(error.details['reason']));
  const lane = batch[Number(match?.[2])];
  return lane && match?.[1] ? { lane, reason: match[1] } : null;
}
