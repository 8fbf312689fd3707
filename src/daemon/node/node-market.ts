/** The market's side of a node: the wallet on the main thread, terms for the transfer thread. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { chooseNetwork, isChainError, loadSecp256k1 } from '../../chain/index.ts';
import type { BuyerOptions, SellerOptions } from '../../exchange/index.ts';
import type { WalletKeys } from '../../platform/keystore/index.ts';
import {
  type Address,
  AppError,
  type Atto,
  addAtto,
  assert,
  atto,
  ZERO_ATTO,
} from '../../units/index.ts';
import { type MoneyIdentity, type MoneyService, servePurseAndBook } from '../money/index.ts';
import type { TransferOptions } from '../transfer/index.ts';
import { networkOf, openKeys, openMoneyOf, type WalletChoice } from '../wallet/index.ts';

/** How a node trades. A side that is null does not. */
export interface MarketOptions {
  readonly wallet: WalletChoice;
  readonly buyer: BuyerOptions | null;
  readonly seller: SellerOptions | null;
}

/** Money that moved since the node started, from the ledger: exact. */
export interface Turnover {
  readonly paid: Atto;
  readonly earned: Atto;
}

/** Who a node is on the market. */
export interface MarketFace {
  readonly account: Address;
  readonly chainId: number;
  readonly escrow: Address;
  /** Which implementation checks signatures: the native one, or a slow one instead. */
  readonly signatures: string;
}

/** The start of a node waits so long for its chain, then goes on. */
const PATIENCE_MS = 5_000;
/** A chain that was away is asked again so long after it last did not answer. */
const AGAIN_MS = 10_000;

/** How a market is opened. */
export interface MarketOpening {
  /** For people: what is waited for, and that it came. */
  readonly tell?: (line: string) => void;
  readonly patienceMs?: number;
  readonly againMs?: number;
}

/** The money of a running node. */
export class NodeMarket {
  readonly #options: MarketOptions;
  readonly #opening: Required<MarketOpening>;
  readonly #keys: WalletKeys;
  readonly #ports: MessagePort[] = [];
  readonly #end = new AbortController();
  /** Null while the chain is away: what the transfer thread asks waits meanwhile. */
  #money: MoneyService | null = null;
  #before: Turnover = { paid: ZERO_ATTO, earned: ZERO_ATTO };

  private constructor(keys: WalletKeys, options: MarketOptions, opening: MarketOpening) {
    this.#keys = keys;
    this.#options = options;
    const { tell = (): void => {}, patienceMs = PATIENCE_MS, againMs = AGAIN_MS } = opening;
    this.#opening = { tell, patienceMs, againMs };
  }

  /**
   * Opens the wallet. A budget allows moving as much from the wallet into the contract. A chain
   * that does not answer is waited for a few seconds, then beside the work as long as it takes.
   */
  static async open(options: MarketOptions, opening: MarketOpening = {}): Promise<NodeMarket> {
    const market = new NodeMarket(await openKeys(options.wallet), options, opening);
    await market.#begin();
    return market;
  }

  /** For people, at the start; null while the chain is waited for. */
  get face(): MarketFace | null {
    if (!this.#money) return null;
    const { payee: account, chainId, escrow } = this.#identity;
    return { account, chainId, escrow, signatures: loadSecp256k1().note };
  }

  /** For each of so many transfer threads: the budget is split evenly, rounded down. */
  settingsFor(threadCount: number): NonNullable<TransferOptions['exchange']> {
    const { buyer, seller } = this.#options;
    const budget = buyer && atto(buyer.budget / BigInt(threadCount));
    return { ...this.#identity, buyer: buyer && budget && { ...buyer, budget }, seller };
  }

  /** A port to the money, for one transfer thread. */
  newPort(): MessagePort {
    const { port1: near, port2: far } = new MessageChannel();
    if (this.#money) servePurseAndBook(near, this.#money);
    this.#ports.push(near);
    return far;
  }

  /** Ends after the transfer thread has paid what it owed; says what was paid and earned. */
  async close(): Promise<Turnover> {
    this.#end.abort();
    this.#closePorts();
    const money = this.#money;
    if (!money) return this.#before;
    const { paid, earned } = totals(money);
    await money.close();
    return { paid: atto(paid - this.#before.paid), earned: atto(earned - this.#before.earned) };
  }

  /** What others know us by: it needs no chain. */
  get #identity(): MoneyIdentity {
    const { chainId, escrow } = chooseNetwork(networkOf(this.#options.wallet));
    assert(escrow, 'without a contract no market is opened');
    const { address: payee, fundingKey: payeeKey } = this.#keys;
    return { chainId, escrow, payee, payeeKey };
  }

  async #begin(): Promise<void> {
    const { patienceMs, tell } = this.#opening;
    const opening = this.#open();
    const outcome = opening.then(
      () => null,
      (failure: unknown) => failure,
    );
    const slow = sleep(patienceMs, 'slow' as const, { ref: false });
    const first = await Promise.race([outcome, slow]);
    if (first === null) return;
    if (first !== 'slow' && !isPassing(first)) throw first;
    const { name } = this.#options.wallet.network;
    const reason =
      first instanceof AppError ? first.message : `the chain '${name}' has not answered yet`;
    tell(`${reason}: going on unpaid until it answers; see 'bidwidth chain status'`);
    void this.#keepTrying(opening);
  }

  async #keepTrying(first: Promise<void>): Promise<void> {
    const { signal } = this.#end;
    const { againMs, tell } = this.#opening;
    for (let opening = first; !signal.aborted; opening = this.#open()) {
      try {
        await opening;
        const { face } = this;
        if (face) tell(`the chain answers: trading as ${face.account} on chain ${face.chainId}`);
        return;
      } catch (failure) {
        if (signal.aborted) return;
        if (!(failure instanceof AppError)) throw failure;
        if (!isPassing(failure)) {
          tell(`going on without the market: ${failure.message}`);
          this.#closePorts();
          return;
        }
      }
      await sleep(againMs, null, { signal, ref: false }).catch(() => {});
    }
  }

  async #open(): Promise<void> {
    const { wallet, buyer } = this.#options;
    const money = await openMoneyOf(wallet, this.#keys, buyer?.budget);
    if (this.#end.signal.aborted) {
      await money.close();
      return;
    }
    this.#money = money;
    this.#before = totals(money);
    for (const port of this.#ports) servePurseAndBook(port, money);
  }

  #closePorts(): void {
    for (const port of this.#ports) port.close();
  }
}

/** A chain that is away may come back. */
function isPassing(failure: unknown): boolean {
  return isChainError(failure, 'CHAIN_UNREACHABLE') || isChainError(failure, 'CHAIN_LOCAL');
}

function totals(money: MoneyService): Turnover {
  let paid = ZERO_ATTO;
  let earned = ZERO_ATTO;
  for (const { side, amount } of money.traffic()) {
    if (side === 'bought') paid = addAtto(paid, amount);
    else earned = addAtto(earned, amount);
  }
  return { paid, earned };
}
