/** A node's money in one place: wallet, ledger, purse and book on one chain. */
import { join } from 'node:path';
import {
  type Chain,
  type EndpointHealth,
  loadKeccak256,
  loadSecp256k1,
  type NetworkChoice,
  openChain,
  type SendQueue,
  throughTakeover,
} from '../../chain/index.ts';
import { EscrowDigests, type Keccak256 } from '../../payment/index.ts';
import { Database, GroupCommit } from '../../platform/database/index.ts';
import type { WalletKeys } from '../../platform/keystore/index.ts';
import { type Address, type Atto, ZERO_ATTO } from '../../units/index.ts';
import { AllotmentRecords } from './allotment-records.ts';
import { Book, type BookOptions } from './book.ts';
import { ChainClock } from './chain-clock.ts';
import { type ClaimSummary, Claims } from './claims.ts';
import { movementsCsv, trafficCsv } from './csv.ts';
import { EarningRecords } from './earning-records.ts';
import { Funding } from './funding.ts';
import { HistoryRecords, type Movement, type Traffic } from './history-records.ts';
import { MoneyError } from './money-error.ts';
import { Purse, type PurseOptions } from './purse.ts';
import { type RefundSummary, Refunds } from './refunds.ts';
import { LEDGER_MIGRATIONS } from './schema.ts';
import { sentRecords } from './sent-records.ts';

/** What a node's money needs to begin. */
export interface MoneyOptions {
  /** The ledger lives here, one file per chain and account. */
  readonly dataFolder: string;
  readonly network: NetworkChoice;
  /** From `unlockWallet`, or `openLocalKey` on the local chain. */
  readonly keys: WalletKeys;
  /** The embedded chain's folder; several nodes may share one. Default `chain` in `dataFolder`. */
  readonly localChainFolder?: string;
  /** How much may go from the wallet into the contract without asking. Default none. */
  readonly autoDepositMax?: Atto;
  /** How often claims and refunds are looked after. Default 60,000 ms. */
  readonly roundMs?: number;
  readonly purse?: PurseOptions;
  readonly book?: BookOptions;
}

/** Where the coins are. All in atto. */
export interface Balances {
  /** Native coins of the account; pay for gas. */
  readonly wallet: Atto;
  /** In the contract, to be locked or withdrawn at once. */
  readonly free: Atto;
  /** In our open allotments and not claimed by anybody. */
  readonly locked: Atto;
  /** Promised by vouchers on our disk and not claimed yet. */
  readonly earnedUnclaimed: Atto;
}

/** Who we are to other nodes. `payeeKey` is the funding key: it may go to our own threads only. */
export interface MoneyIdentity {
  readonly chainId: number;
  readonly escrow: Address;
  readonly payee: Address;
  readonly payeeKey: Uint8Array;
}

const ROUND_MS_DEFAULT = 60_000;
const HISTORY_MAX = 100_000;

/**
 * Opens chain, ledger, purse and book. On the embedded chain it outlasts the death of the process
 * that hosts it. Throws `ChainError`, `DatabaseError`, `MoneyError`.
 */
export function openMoney(options: MoneyOptions): Promise<MoneyService> {
  return throughTakeover(options.network, () => openOnce(options));
}

async function openOnce(options: MoneyOptions): Promise<MoneyService> {
  const { dataFolder, network, localChainFolder = join(dataFolder, 'chain') } = options;
  const chain = await openChain({ network, localFolder: localChainFolder });
  try {
    await chain.requireEscrow();
    const database = openLedger(options, chain);
    try {
      await requireSameChain(database, chain);
      const keccak256 = await loadKeccak256();
      const service = new MoneyService({ chain, database, keccak256 }, options);
      try {
        await service.begin();
        return service;
      } catch (error) {
        // Or its queue would go on with a ledger that is closed.
        await service.close();
        throw error;
      }
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    await chain.close();
    throw error;
  }
}

/** What `openMoney` opens. */
interface MoneyParts {
  readonly chain: Chain;
  readonly database: Database;
  readonly keccak256: Keccak256;
}

/** Everything the API and the command line ask of money. */
export class MoneyService {
  readonly chain: Chain;
  readonly purse: Purse;
  readonly book: Book;
  /** What makes signatures, for the log at start. */
  readonly signatureNote: string;
  readonly #options: MoneyOptions;
  readonly #database: Database;
  readonly #group: GroupCommit;
  readonly #queue: SendQueue;
  readonly #clock: ChainClock;
  readonly #funding: Funding;
  readonly #history: HistoryRecords;
  readonly #claims: Claims;
  readonly #refunds: Refunds;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Use `openMoney`. */
  constructor({ chain, database, keccak256 }: MoneyParts, options: MoneyOptions) {
    const { keys } = options;
    const { secp256k1, note } = loadSecp256k1();
    const group = new GroupCommit(database);
    const clock = new ChainClock(chain);
    const history = new HistoryRecords(database);
    const allotments = new AllotmentRecords(database);
    const earnings = new EarningRecords(database);
    const queue = chain.queueFor(keys.fundingKey, sentRecords(database));
    const domain = { chainId: chain.network.chainId, escrow: chain.escrow.address };
    const digests = new EscrowDigests(domain, keccak256);
    const shared = { chain, queue, history, clock, group, digests, secp256k1 };
    this.#funding = new Funding(shared, options.autoDepositMax ?? ZERO_ATTO);
    const { hotKey, address: payee } = keys;
    const purseParts = { ...shared, funding: this.#funding, allotments, hotKey };
    this.purse = new Purse(purseParts, options.purse);
    this.book = new Book({ ...shared, payee, earnings }, options.book);
    this.#claims = new Claims({ ...shared, book: this.book });
    this.#refunds = new Refunds({ ...shared, purse: this.purse, allotments });
    this.chain = chain;
    this.signatureNote = note;
    this.#options = options;
    this.#database = database;
    this.#group = group;
    this.#queue = queue;
    this.#clock = clock;
    this.#history = history;
  }

  /** Settles what a crash left, then looks after claims and refunds by itself. */
  async begin(): Promise<void> {
    await this.#clock.refresh();
    await this.purse.reconcile();
    await this.#claims.reconcile();
    this.#schedule();
  }

  get account(): Address {
    return this.#queue.account;
  }

  /** For `hello` and for the transfer thread. */
  identity(): MoneyIdentity {
    return {
      chainId: this.chain.network.chainId,
      escrow: this.chain.escrow.address,
      payee: this.account,
      payeeKey: this.#options.keys.fundingKey,
    };
  }

  /** Where the coins are now. */
  async balances(): Promise<Balances> {
    return {
      wallet: await this.chain.balance(this.account),
      free: await this.chain.escrow.free(this.account),
      locked: await this.#refunds.locked(),
      earnedUnclaimed: this.book.unclaimed(),
    };
  }

  /** From the wallet into the contract. */
  deposit(amount: Atto): Promise<void> {
    return this.#funding.deposit(amount);
  }

  /** From the contract to a wallet, our own by default. */
  withdraw(amount: Atto, to?: Address): Promise<void> {
    return this.#funding.withdraw(amount, to);
  }

  /** Lets the purse move up to `max` from the wallet into the contract as it needs it. */
  allowAutoDeposit(max: Atto): void {
    this.#funding.allowAutoDeposit(max);
  }

  /** Claims everything worth its gas now. It ends these lanes. */
  async claimAll(): Promise<ClaimSummary> {
    await this.#clock.refresh();
    return this.#claims.claimAll();
  }

  /** Closes every allotment of ours that may be closed. */
  async refundAll(): Promise<RefundSummary> {
    await this.#clock.refresh();
    return this.#refunds.closeDue();
  }

  /** Claims and closes all that can be. */
  async settle(): Promise<{ readonly claims: ClaimSummary; readonly refunds: RefundSummary }> {
    return { claims: await this.claimAll(), refunds: await this.refundAll() };
  }

  /** Finds allotments of ours on the chain that the ledger has lost; how many are still open. */
  recover(): Promise<number> {
    return this.#refunds.recover();
  }

  /** Movements of money on the chain, newest first. */
  history(limit: number = HISTORY_MAX): readonly Movement[] {
    return this.#history.movements(limit);
  }

  /** What was paid and earned, by torrent and remote, newest first. */
  traffic(): readonly Traffic[] {
    return this.#history.traffic();
  }

  /** The history for a spreadsheet. */
  csv(): { readonly movements: string; readonly traffic: string } {
    return { movements: movementsCsv(this.history()), traffic: trafficCsv(this.traffic()) };
  }

  /** Endpoints and how they are doing. */
  health(): readonly EndpointHealth[] {
    return this.chain.rpc.health();
  }

  /** Play money into the wallet. Only on the local chain. */
  faucet(amount: Atto): Promise<void> {
    return this.chain.faucet(this.account, amount);
  }

  /** Lets time pass. Only on the local chain. */
  async advanceTime(seconds: number): Promise<void> {
    await this.chain.advanceTime(seconds);
    await this.#clock.refresh();
  }

  /**
   * Stops. What was acknowledged is on the disk; what is on its way is pursued at the next start.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.book.close();
    await this.#queue.close();
    await this.purse.close();
    await this.#round;
    this.#group.flush();
    this.#database.close();
    await this.chain.close();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#lookAfter().finally(() => {
        if (!this.#isClosed) this.#schedule();
      });
    }, this.#options.roundMs ?? ROUND_MS_DEFAULT);
    this.#timer.unref();
  }

  async #lookAfter(): Promise<void> {
    try {
      await this.#clock.refresh();
      await this.#claims.claimDue();
      await this.#refunds.closeDue();
    } catch {
      // No connection or no gas: nothing is lost by trying again in the next round.
    }
  }
}

function openLedger({ dataFolder, keys }: MoneyOptions, chain: Chain): Database {
  const name = `money-${chain.network.chainId}-${keys.address.slice(2, 10)}.sqlite`;
  return Database.open({ path: join(dataFolder, name), migrations: LEDGER_MIGRATIONS });
}

/** A ledger is about one contract on one chain: an embedded chain made anew is another one. */
async function requireSameChain(database: Database, chain: Chain): Promise<void> {
  const mark = `${await chain.genesisHash()} ${chain.escrow.address}`;
  database.run(`INSERT OR IGNORE INTO setting VALUES ('chain', ?)`, mark);
  const row = database.get<{ value: string }>(`SELECT value FROM setting WHERE name = 'chain'`);
  if (row?.value === mark) return;
  throw new MoneyError(
    'MONEY_OTHER_CHAIN',
    `${database.path} belongs to another chain or contract: move it away to begin a new ledger`,
    { path: database.path },
  );
}
