/** The market's side of a node: the wallet on the main thread, terms for the transfer thread. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BuyerOptions, SellerOptions } from '../../exchange/index.ts';
import { type Address, type Atto, addAtto, atto, ZERO_ATTO } from '../../units/index.ts';
import { type MoneyService, servePurseAndBook } from '../money/index.ts';
import type { TransferOptions } from '../transfer/index.ts';
import { openWallet, type WalletChoice } from '../wallet/index.ts';

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

/** The money of a running node. */
export class NodeMarket {
  readonly #settings: NonNullable<TransferOptions['exchange']>;
  readonly #money: MoneyService;
  readonly #before: Turnover;
  readonly #ports: MessagePort[] = [];

  private constructor(money: MoneyService, { buyer, seller }: MarketOptions) {
    this.#money = money;
    this.#settings = { ...money.identity(), buyer, seller };
    this.#before = totals(money);
  }

  /** Opens the wallet. A budget allows moving as much from the wallet into the contract. */
  static async open(options: MarketOptions): Promise<NodeMarket> {
    return new NodeMarket(await openWallet(options.wallet, options.buyer?.budget), options);
  }

  /** For people, at the start. */
  get face(): MarketFace {
    const { payee: account, chainId, escrow } = this.#money.identity();
    return { account, chainId, escrow, signatures: this.#money.signatureNote };
  }

  /** For each of so many transfer threads: the budget is split evenly, rounded down. */
  settingsFor(threadCount: number): NonNullable<TransferOptions['exchange']> {
    const { buyer } = this.#settings;
    if (buyer === null) return this.#settings;
    const budget = atto(buyer.budget / BigInt(threadCount));
    return { ...this.#settings, buyer: { ...buyer, budget } };
  }

  /** A port to the money, for one transfer thread. */
  newPort(): MessagePort {
    const { port1: near, port2: far } = new MessageChannel();
    servePurseAndBook(near, this.#money);
    this.#ports.push(near);
    return far;
  }

  /** Ends after the transfer thread has paid what it owed; says what was paid and earned. */
  async close(): Promise<Turnover> {
    for (const port of this.#ports) port.close();
    const { paid, earned } = totals(this.#money);
    await this.#money.close();
    return { paid: atto(paid - this.#before.paid), earned: atto(earned - this.#before.earned) };
  }
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
