/**
 * Where the money for allotments comes from: the free balance, and the wallet as far as allowed.
 */
import type { Chain, SendQueue } from '../../chain/index.ts';
import {
  type Address,
  type Atto,
  addAtto,
  atto,
  formatBtt,
  minAtto,
  subtractAttoFloor,
  ZERO_ATTO,
} from '../../units/index.ts';
import type { ChainClock } from './chain-clock.ts';
import type { HistoryRecords } from './history-records.ts';
import { MoneyError } from './money-error.ts';

/** Gas kept back in the wallet for what must still be sent: opening, claiming, closing. */
const GAS_RESERVE = 1_000_000n;

/** What funding works with. */
export interface FundingParts {
  readonly chain: Chain;
  readonly queue: SendQueue;
  readonly history: HistoryRecords;
  readonly clock: ChainClock;
}

/** Moves coins between the wallet and its account in the contract. */
export class Funding {
  readonly #parts: FundingParts;
  #autoDepositLeft: Atto;

  constructor(parts: FundingParts, autoDepositMax: Atto) {
    this.#parts = parts;
    this.#autoDepositLeft = autoDepositMax;
  }

  /** How much more may go from the wallet into the contract without asking. */
  get autoDepositLeft(): Atto {
    return this.#autoDepositLeft;
  }

  /** Allows this much from now on, whatever was used before. */
  allowAutoDeposit(max: Atto): void {
    this.#autoDepositLeft = max;
  }

  get #account(): Address {
    return this.#parts.queue.account;
  }

  /** What an allotment could lock now: free, and what may be added from the wallet. */
  async available(): Promise<Atto> {
    const free = await this.#parts.chain.escrow.free(this.#account);
    return addAtto(free, minAtto(await this.#spendableInWallet(), this.#autoDepositLeft));
  }

  /** Makes sure that `sum` is free, depositing what is missing. */
  async ensureFree(sum: Atto): Promise<void> {
    const free = await this.#parts.chain.escrow.free(this.#account);
    const missing = subtractAttoFloor(sum, free);
    if (missing === ZERO_ATTO) return;
    this.#autoDepositLeft = subtractAttoFloor(this.#autoDepositLeft, missing);
    try {
      await this.deposit(missing);
    } catch (error) {
      this.#autoDepositLeft = addAtto(this.#autoDepositLeft, missing);
      throw error;
    }
  }

  /** From the wallet into the contract. */
  async deposit(amount: Atto): Promise<void> {
    const { chain, queue, history, clock } = this.#parts;
    const inWallet = await chain.balance(this.#account);
    if (inWallet < amount) throw tooLittle('the wallet', { has: inWallet, wanted: amount });
    const receipt = await chain.escrow.deposit(queue, amount, { purpose: `deposit ${amount}` });
    history.add({
      atMs: clock.nowMs(),
      kind: 'deposit',
      amount,
      fee: receipt.fee,
      subject: chain.escrow.address,
      transactionHash: receipt.hash,
    });
  }

  /** From the contract to a wallet, our own by default. */
  async withdraw(amount: Atto, to: Address = this.#account): Promise<void> {
    const { chain, queue, history, clock } = this.#parts;
    const free = await chain.escrow.free(this.#account);
    if (free < amount) throw tooLittle('the free balance', { has: free, wanted: amount });
    const purpose = `withdraw ${amount} to ${to}`;
    const receipt = await chain.escrow.withdraw(queue, { amount, to }, { purpose });
    history.add({
      atMs: clock.nowMs(),
      kind: 'withdraw',
      amount,
      fee: receipt.fee,
      subject: to,
      transactionHash: receipt.hash,
    });
  }

  async #spendableInWallet(): Promise<Atto> {
    const { chain } = this.#parts;
    const reserve = atto(GAS_RESERVE * (await chain.gasPrice()));
    return subtractAttoFloor(await chain.balance(this.#account), reserve);
  }
}

function tooLittle(where: string, amounts: { readonly has: Atto; readonly wanted: Atto }): Error {
  const { has, wanted } = amounts;
  const text = `${where} has ${formatBtt(has)} BTT, and ${formatBtt(wanted)} BTT are wanted`;
  return new MoneyError('MONEY_BALANCE', text, { has, wanted });
}
