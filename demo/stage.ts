/** The demo's plot: who plays, with what limits, in which order. Every player is a process. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Actor, type Fact, run } from './actor.ts';

/** What is played. */
export interface Plot {
  /** Everything is written below this folder. */
  readonly folder: string;
  /** The file to move, inside `folder/source`. */
  readonly file: string;
  /** Upload of the seller, such as `16M`. */
  readonly sellerUpload: string;
  /** Upload of everybody else: lines at home send much less than they receive. */
  readonly homeUpload: string;
  /** BTT per GiB. */
  readonly ask: string;
  readonly maxPrice: string;
  /** BTT the buyer deposits, and may spend. */
  readonly deposit: string;
}

/** Names of those who do not pay. */
export const FREE_NAMES = ['free-1', 'free-2'] as const;

/** Play money for gas and deposit, far more than is needed. */
const FAUCET_BTT = '1000000';

/** Past the expiry of every allotment: a week and a day. */
const PAST_EXPIRY_SECONDS = 8 * 24 * 3600;

/** The players while the file moves. */
export interface Cast {
  readonly seller: Actor;
  readonly buyer: Actor;
  readonly free: readonly Actor[];
}

/** The running services that outlive the transfer. */
export interface Services {
  readonly chain: Actor;
  readonly tracker: Actor;
}

/** Sets the stage, brings the players on, and settles the bill. */
export class Stage {
  readonly #plot: Plot;
  readonly torrent: string;

  constructor(plot: Plot) {
    this.#plot = plot;
    this.torrent = join(plot.folder, 'demo.torrent');
  }

  /** Where a player's copy is. */
  copyOf(name: string): string {
    return join(this.#plot.folder, name, 'got', this.#plot.file);
  }

  /** Starts chain and tracker, makes the torrent, gives play money, deposits the buyer's. */
  async prepare(): Promise<Services> {
    const { folder, file, deposit } = this.#plot;
    const chain = new Actor('chain', ['chain', 'start', ...this.#home('chain'), ...this.#chain()]);
    const tracker = new Actor('tracker', ['tracker', '--host', '127.0.0.1']);
    const [{ httpPort }] = await Promise.all([
      tracker.event('listening'),
      chain.event('listening'),
      mkdir(join(folder, 'seller'), { recursive: true }),
    ]);
    const announce = `http://127.0.0.1:${httpPort}/announce`;
    const source = join(folder, 'source', file);
    await run('create', ['create', source, '--out', this.torrent, '--tracker', announce]);
    await Promise.all(['buyer', 'seller'].map((name) => this.#fund(name)));
    await this.#wallet('buyer', ['deposit', deposit]);
    return { chain, tracker };
  }

  /** Starts the seller, and when it serves, all downloaders at once. */
  async play(): Promise<Cast> {
    const { folder, ask, sellerUpload, maxPrice, deposit } = this.#plot;
    const money = ['--max-price', maxPrice, '--budget', deposit, ...this.#chain()];
    const seller = new Actor('seller', [
      ...['seed', this.torrent, '--from', join(folder, 'source'), '--ask', ask],
      ...['--upload-limit', sellerUpload, ...this.#network('seller'), ...this.#chain()],
    ]);
    await seller.event('seeding');
    const buyer = this.#download('buyer', money);
    const free = FREE_NAMES.map((name) => this.#download(name, []));
    return { seller, buyer, free };
  }

  /**
   * The seller claims what it earned, then the buyer takes back what was not used. An allotment
   * with
   * a lane that nobody claimed stays locked until it expires, so the chain's clock is moved on.
   */
  async settle(): Promise<Settlement> {
    await this.#wallet('seller', ['claims']);
    await this.#wallet('buyer', ['claims']);
    const { lockedAtto } = await this.#wallet('buyer', ['balance']);
    if (lockedAtto !== '0') {
      await run('clock', ['chain', 'advance', `${PAST_EXPIRY_SECONDS}`, ...this.#chain()]);
      await this.#wallet('buyer', ['claims']);
    }
    const [earnings, buyer, seller] = await Promise.all([
      this.#wallet('seller', ['earnings']),
      this.#wallet('buyer', ['history']),
      this.#wallet('seller', ['history']),
    ]);
    return { earnings, buyer, seller };
  }

  #download(name: string, money: readonly string[]): Actor {
    const to = join(this.#plot.folder, name, 'got');
    const limits = ['--upload-limit', this.#plot.homeUpload];
    const args = ['download', this.torrent, '--to', to, ...limits, ...this.#network(name)];
    return new Actor(name, [...args, ...money]);
  }

  async #fund(name: string): Promise<void> {
    const { address } = await this.#wallet(name, ['address']);
    await run('faucet', ['chain', 'faucet', FAUCET_BTT, '--to', `${address}`, ...this.#chain()]);
  }

  #wallet(name: string, command: readonly string[]): Promise<Fact> {
    return run(`${name}'s wallet`, ['wallet', ...command, ...this.#home(name), ...this.#chain()]);
  }

  /** Loopback only: the demo talks to nobody else. */
  #network(name: string): string[] {
    return ['--port', '0', '--bind', '127.0.0.1', '--no-lsd', '--no-pex', ...this.#home(name)];
  }

  #home(name: string): string[] {
    return ['--data-dir', join(this.#plot.folder, name)];
  }

  #chain(): string[] {
    return ['--network', 'local', '--chain-dir', join(this.#plot.folder, 'chain')];
  }
}

/** What the wallets say at the end: the seller's earnings, and what moved on the chain. */
export interface Settlement {
  readonly earnings: Fact;
  readonly buyer: Fact;
  readonly seller: Fact;
}
