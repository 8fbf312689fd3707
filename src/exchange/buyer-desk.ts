/**
 * What all buying sessions of a node share: limits, the budget, the plan, and debts to settle
 * later.
 */
import {
  type LaneResult,
  REBALANCE_INTERVAL_MS,
  SHARE_UNIT,
  SpendPlan,
  spendingRate,
} from '../market/index.ts';
import {
  type Address,
  type Atto,
  type AttoPerMib,
  type AttoPerSecond,
  addAtto,
  atto,
  attoPerSecond,
  type Instant,
  minAtto,
  subtractAttoFloor,
  ZERO_ATTO,
} from '../units/index.ts';
import { MEMORY_ENTRIES_MAX } from './limits.ts';
import type { BuyerPurse } from './ports.ts';

/** How a node buys. */
export interface BuyerOptions {
  /** It never accepts a quote above this. */
  readonly maxPrice: AttoPerMib;
  /** All it spends, over all torrents and peers, in the life of the exchange. */
  readonly budget: Atto;
  /** When downloads should be done; without one, as soon as the budget allows. */
  readonly deadline?: Instant | null;
}

/** Still missing of a torrent, in bytes; null while unknown. */
export type RemainingBytes = (torrentKey: string) => number | null;

/** A buying session as the desk sees it. */
export interface BuyingPeer {
  readonly key: number;
  readonly torrentKey: string;
  /** Bytes a second. */
  readonly receiveRate: number;
  /** What this seller cost and brought since the last call. */
  takeResult(): LaneResult;
}

/** The wallet behind the connections. */
export class BuyerDesk {
  readonly purse: BuyerPurse;
  /** By peer key. As many as the engine has connections. */
  readonly sessions: Map<number, BuyingPeer> = new Map();
  readonly remainingBytes: RemainingBytes;
  readonly #plan = new SpendPlan();
  /** What an earlier connection with a payee left unpaid. */
  readonly #carried = new Map<Address, Atto>();
  #options: BuyerOptions;
  #committed: Atto = ZERO_ATTO;
  #rebalancedAt: Instant | null = null;
  spent: Atto = ZERO_ATTO;
  boughtBytes = 0;
  /** Vouchers signed. */
  voucherCount = 0;

  constructor(purse: BuyerPurse, options: BuyerOptions, remainingBytes: RemainingBytes) {
    this.purse = purse;
    this.#options = options;
    this.remainingBytes = remainingBytes;
  }

  get options(): BuyerOptions {
    return this.#options;
  }

  setOptions(options: BuyerOptions): void {
    this.#options = options;
  }

  /** Reserved in lanes and not signed away yet. */
  get committed(): Atto {
    return this.#committed;
  }

  /** What can still be reserved. */
  get available(): Atto {
    return subtractAttoFloor(this.#options.budget, addAtto(this.spent, this.#committed));
  }

  /** What can still be spent. */
  get budgetLeft(): Atto {
    return subtractAttoFloor(this.#options.budget, this.spent);
  }

  /** Reserves a part of the budget for a lane. */
  commit(amount: Atto): void {
    this.#committed = addAtto(this.#committed, amount);
  }

  /** A lane ended, or was smaller than asked: what it did not spend is available again. */
  uncommit(amount: Atto): void {
    this.#committed = subtractAttoFloor(this.#committed, amount);
  }

  /** A voucher was signed: what was reserved is now spent. */
  spend(amount: Atto): void {
    this.uncommit(amount);
    this.voucherCount++;
    this.spent = addAtto(this.spent, amount);
  }

  /** A seller to spend on. */
  join(key: number): void {
    this.#plan.add(key);
  }

  leave(key: number): void {
    this.#plan.remove(key);
  }

  /** This peer's part of the spending, rounded down. */
  bidRate(session: BuyingPeer, now: Instant): AttoPerSecond {
    const total = spendingRate({
      now,
      budgetLeft: this.budgetLeft,
      maxPrice: this.#options.maxPrice,
      remainingBytes: this.remainingBytes(session.torrentKey),
      downloadRate: this.#downloadRate(),
      deadline: this.#options.deadline ?? null,
    });
    return attoPerSecond((total * BigInt(this.#plan.shareOf(session.key))) / BigInt(SHARE_UNIT));
  }

  /**
   * What a lane for this peer may hold: its part of the budget, rounded down, but never more than
   * half of what is left, so that sellers met later find something; half is `worthwhile` at least.
   */
  laneShare(key: number, worthwhile: Atto): Atto {
    const share = BigInt(Math.max(this.#plan.shareOf(key), 1));
    const planned = (this.budgetLeft * share) / BigInt(SHARE_UNIT);
    const half = this.available / 2n;
    const most = half > worthwhile ? half : worthwhile;
    return minAtto(this.available, atto(planned < most ? planned : most));
  }

  /** Once a clearing round: moves spending from the dearest seller to the cheapest. */
  rebalance(now: Instant): void {
    this.#rebalancedAt ??= now;
    if (now - this.#rebalancedAt < REBALANCE_INTERVAL_MS) return;
    this.#rebalancedAt = now;
    const results: LaneResult[] = [];
    for (const session of this.sessions.values()) results.push(session.takeResult());
    this.#plan.rebalance(results);
  }

  /** Remembers a debt for the next connection with the payee. */
  carry(payee: Address, amount: Atto): void {
    if (amount === 0n) return;
    this.#carried.set(payee, addAtto(this.#carried.get(payee) ?? ZERO_ATTO, amount));
    if (this.#carried.size <= MEMORY_ENTRIES_MAX) return;
    const oldest = this.#carried.keys().next().value;
    if (oldest !== undefined) this.#carried.delete(oldest);
  }

  /** Takes over what an earlier connection left unpaid. */
  takeCarried(payee: Address): Atto {
    const amount = this.#carried.get(payee) ?? ZERO_ATTO;
    this.#carried.delete(payee);
    return amount;
  }

  #downloadRate(): number {
    let rate = 0;
    for (const session of this.sessions.values()) rate += session.receiveRate;
    return rate;
  }
}
