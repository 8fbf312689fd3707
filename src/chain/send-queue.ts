/**
 * Sends the transactions of one account, strictly in order, and sees them through: each is
 * journaled before it is broadcast, broadcast again when the chain has forgotten it, and settled at
 * depth.
 */
import { type Address, type Atto, assert, type Hash32 } from '../units/index.ts';
import type { TransactionSigner } from './account.ts';
import { ChainError, isChainError } from './chain-error.ts';
import {
  type MinedReceipt,
  quantity,
  readBalance,
  readBlock,
  readGasPrice,
  readNonce,
  readReceipt,
} from './chain-reads.ts';
import type { Rpc } from './rpc-client.ts';
import type { JournalEntry, SendJournal, SendState } from './send-journal.ts';

/** A transaction to be sent. */
export interface SendRequest {
  /** Null creates a contract. */
  readonly to: Address | null;
  readonly data: `0x${string}`;
  readonly value?: Atto;
  readonly purpose: string;
  /** Blocks to wait for on top of its own. Default 0. */
  readonly depth?: number;
}

/** What the queue works with. */
export interface SendQueueParts {
  readonly rpc: Rpc;
  readonly chainId: number;
  readonly signer: TransactionSigner;
  readonly journal: SendJournal;
  /** Puts what a contract reverted with into words; null when it cannot. */
  readonly explainRevert: (revertData: string) => string | null;
  readonly nowMs?: () => number;
}

/** The queue's tunables. */
export interface SendQueueOptions {
  /** The lowest gas price the chain takes, in atto. */
  readonly gasPriceMin: Atto;
  /** How often to look for receipts while something is on its way. */
  readonly pollMs: number;
  /** How often to look whether the chain has rolled back while nothing is. Default 5,000 ms. */
  readonly idlePollMs?: number;
  /** A transaction not in a block for so long is broadcast again. Default ten polls. */
  readonly rebroadcastMs?: number;
}

/** Looks for a nonce used by somebody else this often before giving a transaction up. */
const NONCE_TAKEN_LOOKS = 10;

/** Receipts asked for in one look. The rest wait for the next. */
const LOOK_RECEIPTS_MAX = 64;

interface Flight {
  readonly entry: JournalEntry;
  readonly done: PromiseWithResolvers<MinedReceipt>;
  broadcastAtMs: number;
  looksWithNonceTaken: number;
}

/** One account's transactions. Exactly one queue per account and journal. */
export class SendQueue {
  readonly account: Address;
  readonly #parts: SendQueueParts;
  readonly #options: Required<SendQueueOptions>;
  readonly #nowMs: () => number;
  readonly #flights = new Map<Hash32, Flight>();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #isClosed = false;

  constructor(parts: SendQueueParts, options: SendQueueOptions) {
    this.#parts = parts;
    this.account = parts.signer.address;
    this.#nowMs = parts.nowMs ?? Date.now;
    const { pollMs } = options;
    this.#options = { idlePollMs: 5_000, rebroadcastMs: pollMs * 10, ...options };
    // What was on its way when the last process ended is pursued at once.
    for (const entry of parts.journal.unsettled(this.account)) this.#follow(entry, 0);
    this.#schedule();
  }

  /** Transactions on their way, by nonce. */
  get pending(): readonly JournalEntry[] {
    return [...this.#flights.values()].map(({ entry }) => entry);
  }

  /**
   * Sends and waits for the receipt at depth. Throws `ChainError`; after `CHAIN_REVERTED` and
   * `CHAIN_FUNDS` nothing was spent but gas, after `CHAIN_CLOSED` the next start pursues it.
   */
  async send(request: SendRequest): Promise<MinedReceipt> {
    const flight = await this.#inTurn(() => this.#launch(request));
    return flight.done.promise;
  }

  /** The receipt of a transaction that is on its way, also from before a restart; else null. */
  waitFor(purpose: string): Promise<MinedReceipt> | null {
    for (const { entry, done } of this.#flights.values()) {
      if (entry.purpose === purpose) return done.promise;
    }
    return null;
  }

  /** Stops looking. What is on its way is pursued by the next queue on the same journal. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    const error = new ChainError('CHAIN_CLOSED', 'stopped before the transaction was confirmed');
    for (const { done } of this.#flights.values()) done.reject(error);
    this.#flights.clear();
    await this.#turn.catch(() => undefined);
  }

  async #launch(request: SendRequest): Promise<Flight> {
    if (this.#isClosed) throw new ChainError('CHAIN_CLOSED', 'the wallet is being closed');
    const { journal, signer, rpc, chainId } = this.#parts;
    const { to, data, value = 0n, purpose, depth = 0 } = request;
    await this.#restoreForgotten();
    const gasPrice = await readGasPrice(rpc, this.#options.gasPriceMin);
    const gas = await this.#estimateGas(request, gasPrice);
    const accepted = await readNonce(rpc, this.account, 'pending');
    const nonce = Math.max(accepted, journal.nextNonce(this.account));
    const signed = await signer.sign({ chainId, nonce, to, data, value, gas, gasPrice });
    const entry: JournalEntry = {
      account: this.account,
      nonce,
      ...signed,
      purpose,
      depth,
      state: 'sent',
      createdAtMs: this.#nowMs(),
    };
    journal.add(entry);
    const flight = this.#follow(entry, this.#nowMs());
    await this.#broadcastNew(flight);
    this.#schedule();
    return flight;
  }

  async #estimateGas(request: SendRequest, gasPrice: Atto): Promise<bigint> {
    const call = {
      from: this.account,
      ...(request.to === null ? {} : { to: request.to }),
      data: request.data,
      value: quantity(request.value ?? 0n),
      gasPrice: quantity(gasPrice),
    };
    try {
      const estimate = BigInt(String(await this.#parts.rpc.call('eth_estimateGas', [call])));
      // A quarter more: state may differ a little by the time it is mined. Unused gas is not paid.
      return (estimate * 5n) / 4n;
    } catch (error) {
      throw await this.#explain(error, request);
    }
  }

  /**
   * First broadcast. A certain refusal frees the nonce: it is the highest, so nothing waits for it.
   */
  async #broadcastNew(flight: Flight): Promise<void> {
    const { entry } = flight;
    try {
      await this.#parts.rpc.call('eth_sendRawTransaction', [entry.raw]);
    } catch (error) {
      const isRefused = isChainError(error, 'CHAIN_RPC') && error.details['isUncertain'] === false;
      // Everything else is uncertain: the transaction may be on its way, so it stays and is
      // pursued.
      if (!isRefused || isKnownAlready(error)) return;
      this.#settle(flight, 'dropped');
      throw await this.#explain(error, { to: null, data: '0x', purpose: entry.purpose });
    }
  }

  #follow(entry: JournalEntry, broadcastAtMs: number): Flight {
    const done = Promise.withResolvers<MinedReceipt>();
    // Nobody may be waiting for a flight found in the journal.
    done.promise.catch(() => undefined);
    const flight = { entry, done, broadcastAtMs, looksWithNonceTaken: 0 };
    this.#flights.set(entry.hash, flight);
    return flight;
  }

  #schedule(): void {
    if (this.#isClosed || this.#isLooking) return;
    if (this.#timer) clearTimeout(this.#timer);
    const isBusy = this.#flights.size > 0;
    const wait = isBusy ? this.#options.pollMs : this.#options.idlePollMs;
    this.#timer = setTimeout(() => void this.#lookAndSchedule(), wait);
    if (!isBusy) this.#timer.unref();
  }

  async #lookAndSchedule(): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#look();
    } catch (error) {
      // The endpoints will be back or will not: there is nothing to do but to look again.
      if (!(error instanceof ChainError)) throw error;
    } finally {
      this.#isLooking = false;
      this.#schedule();
    }
  }

  async #look(): Promise<void> {
    await this.#inTurn(() => this.#restoreForgotten());
    if (this.#flights.size === 0) return;
    const { rpc } = this.#parts;
    const head = await readBlock(rpc);
    const mined = await readNonce(rpc, this.account, 'latest');
    const flights = [...this.#flights.values()].sort((a, b) => a.entry.nonce - b.entry.nonce);
    for (const flight of flights.slice(0, LOOK_RECEIPTS_MAX)) {
      const receipt = await readReceipt(rpc, flight.entry.hash);
      if (this.#isClosed) return;
      if (receipt === null) await this.#notMined(flight, mined);
      else if (head.number - receipt.blockNumber >= flight.entry.depth) this.#land(flight, receipt);
    }
  }

  #land(flight: Flight, receipt: MinedReceipt): void {
    this.#settle(flight, receipt.isSuccess ? 'final' : 'reverted');
    if (receipt.isSuccess) {
      flight.done.resolve(receipt);
      return;
    }
    const { purpose, hash } = flight.entry;
    const text = `the transaction failed on the chain (${purpose})`;
    flight.done.reject(new ChainError('CHAIN_REVERTED', text, { hash, purpose }));
  }

  async #notMined(flight: Flight, minedNonce: number): Promise<void> {
    const { entry } = flight;
    if (entry.nonce < minedNonce) {
      // Endpoints may disagree for a moment; only a repeated look is believed.
      if (++flight.looksWithNonceTaken < NONCE_TAKEN_LOOKS) return;
      this.#settle(flight, 'dropped');
      const text = `another transaction of ${this.account} was sent by another program instead`;
      flight.done.reject(new ChainError('CHAIN_NONCE_TAKEN', text, { purpose: entry.purpose }));
      return;
    }
    flight.looksWithNonceTaken = 0;
    if (this.#nowMs() - flight.broadcastAtMs < this.#options.rebroadcastMs) return;
    flight.broadcastAtMs = this.#nowMs();
    await this.#broadcastAgain(entry);
  }

  /** After a roll-back, transactions that were final are gone: broadcasts them again, in order. */
  async #restoreForgotten(): Promise<void> {
    const { rpc, journal } = this.#parts;
    const accepted = await readNonce(rpc, this.account, 'pending');
    if (journal.nextNonce(this.account) <= accepted) return;
    for (const entry of journal.entries(this.account, accepted)) await this.#broadcastAgain(entry);
  }

  async #broadcastAgain(entry: JournalEntry): Promise<void> {
    try {
      await this.#parts.rpc.call('eth_sendRawTransaction', [entry.raw]);
    } catch (error) {
      // Known already, or refused for now: the next look tries again.
      if (!isChainError(error, 'CHAIN_RPC')) throw error;
    }
  }

  #settle(flight: Flight, state: SendState): void {
    this.#parts.journal.settle(flight.entry.hash, state);
    this.#flights.delete(flight.entry.hash);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #explain(error: unknown, request: SendRequest): Promise<unknown> {
    if (!isChainError(error, 'CHAIN_RPC')) return error;
    const message = String(error.details['message']);
    if (/insufficient funds|exceeds allowance|insufficient balance/i.test(message)) {
      const balance = await readBalance(this.#parts.rpc, this.account);
      return poorWallet(this.account, balance, error);
    }
    const revert = error.details['revertData'];
    if (revert === null && !/revert/i.test(message)) return error;
    const reason = typeof revert === 'string' ? this.#parts.explainRevert(revert) : null;
    const text = `the contract refused (${request.purpose}): ${reason ?? message}`;
    assert(error.cause !== undefined, 'an RPC error has a cause');
    const details = { reason: reason ?? message, revert };
    return new ChainError('CHAIN_REVERTED', text, details, { cause: error });
  }
}

function poorWallet(account: Address, balance: Atto, cause: ChainError): ChainError {
  const text =
    balance === 0n
      ? `the wallet ${account} is empty: send it some BTT to pay for gas`
      : `the wallet ${account} has too little BTT for this and its gas`;
  return new ChainError('CHAIN_FUNDS', text, { account, balance }, { cause });
}

function isKnownAlready(error: ChainError): boolean {
  const message = String(error.details['message']);
  return /already known|already imported|known transaction|nonce too low/i.test(message);
}
