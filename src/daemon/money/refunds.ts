/** Brings back what our allotments did not pay out: after expiry, or when every lane is claimed. */
import { type Chain, isChainError, type SendQueue } from '../../chain/index.ts';
import { headerHash } from '../../payment/index.ts';
import { type Atto, addAtto, atto, subtractAttoFloor, ZERO_ATTO } from '../../units/index.ts';
import type { AllotmentRecords, OwnAllotment } from './allotment-records.ts';
import type { ChainClock } from './chain-clock.ts';
import type { HistoryRecords } from './history-records.ts';
import type { Purse } from './purse.ts';

/** What refunding works with. */
export interface RefundParts {
  readonly chain: Chain;
  readonly queue: SendQueue;
  readonly purse: Purse;
  readonly allotments: AllotmentRecords;
  readonly history: HistoryRecords;
  readonly clock: ChainClock;
}

/** What a round of refunds did. */
export interface RefundSummary {
  readonly allotmentCount: number;
  readonly amount: Atto;
  readonly fee: Atto;
}

/** Closes our own allotments. One round at a time. */
export class Refunds {
  readonly #parts: RefundParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: RefundParts) {
    this.#parts = parts;
  }

  /** What is locked now: the sums of open allotments without what was claimed of them. */
  async locked(): Promise<Atto> {
    let locked = ZERO_ATTO;
    for (const { id, header } of this.#parts.allotments.inState('open')) {
      const { sum } = await this.#parts.chain.escrow.claimed(id);
      locked = addAtto(locked, subtractAttoFloor(header.sum, sum));
    }
    return locked;
  }

  /** Closes every allotment that may be closed. */
  closeDue(): Promise<RefundSummary> {
    return this.#inTurn(async () => {
      let summary: RefundSummary = { allotmentCount: 0, amount: ZERO_ATTO, fee: ZERO_ATTO };
      for (const allotment of this.#parts.allotments.inState('open')) {
        if (await this.#isClosable(allotment)) summary = await this.#close(allotment, summary);
      }
      return summary;
    });
  }

  /** Finds our allotments on the chain that the ledger has lost; how many there were. */
  recover(): Promise<number> {
    return this.#inTurn(async () => {
      const { chain, queue, allotments, clock } = this.#parts;
      let found = 0;
      for (const { allotment: id, salt, header } of await chain.openedBy(queue.account)) {
        if (allotments.has(id)) continue;
        const isOpen = (await chain.escrow.head(id)) === headerHash(header);
        const state = isOpen ? 'open' : 'closed';
        allotments.add({ id, salt, header, state }, [], clock.nowMs());
        if (isOpen) found++;
      }
      return found;
    });
  }

  async #isClosable({ id, header }: OwnAllotment): Promise<boolean> {
    const { chain, clock } = this.#parts;
    if (clock.now() > header.expiry) return true;
    const { lanes } = await chain.escrow.claimed(id);
    return lanes === (1n << BigInt(header.laneCount)) - 1n;
  }

  async #close(allotment: OwnAllotment, before: RefundSummary): Promise<RefundSummary> {
    const { chain, queue, purse, allotments, history, clock } = this.#parts;
    const { id, header } = allotment;
    purse.drop(id);
    try {
      const receipt = await chain.escrow.close(queue, { id, header }, { purpose: `close ${id}` });
      // Read after closing: nothing can be claimed any more.
      const returned = atto(header.sum - (await chain.escrow.claimed(id)).sum);
      history.add({
        atMs: clock.nowMs(),
        kind: 'refund',
        amount: returned,
        fee: receipt.fee,
        subject: id,
        transactionHash: receipt.hash,
      });
      allotments.setState(id, 'closed');
      return {
        allotmentCount: before.allotmentCount + 1,
        amount: addAtto(before.amount, returned),
        fee: addAtto(before.fee, receipt.fee),
      };
    } catch (error) {
      if (!isChainError(error, 'CHAIN_REVERTED')) throw error;
      // Anybody may close an expired allotment; if somebody did, the money is back already.
      const isGone = (await chain.escrow.head(id)) !== headerHash(header);
      if (isGone) allotments.setState(id, 'closed');
      return before;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
