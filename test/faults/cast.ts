/** The processes that the fault test kills, and how each comes back. */

import { killQuietly, portOf, type Stage } from '../market/stage.ts';
import type { Child, JsonLine } from '../support/children.ts';
import type { WireTap } from './wire-tap.ts';

/** Who can be killed. `anvil` is the chain's own process, below whichever process hosts it. */
export type Victim = 'buyer' | 'seller' | 'chain' | 'anvil' | 'claimer';

/** BTT per GiB; makes every voucher worth many times the gas of claiming it. */
const ASK_BTT = '2000';
const MAX_PRICE_BTT = '4000';
const BUDGET_BTT = '500';

/** How fast the seller may send: the transfer is to span many lives. */
const UPLOAD_LIMIT = '1M';

/** Chain and claims cannot begin while the process dies that hosts the chain; they say so. */
const MAY_GIVE_UP = /"code":"CHAIN_(UNREACHABLE|LOCAL)"/;

/** Buyer, seller and chain, all of which are running unless one has just been killed. */
export class Cast {
  readonly #stage: Stage;
  readonly #tap: WireTap;
  readonly #expected = new WeakSet<Child>();
  readonly #faults: string[] = [];
  readonly #notices: string[] = [];
  readonly #running = new Map<string, Child>();
  #transfer = 1;
  /** Copies that are complete. */
  readonly finished: string[] = [];

  constructor(stage: Stage, tap: WireTap) {
    this.#stage = stage;
    this.#tap = tap;
  }

  /** What ended without being killed, with its last words. There must be none. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** What processes said on standard error: for the record. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  isRunning(name: Victim): boolean {
    return this.#running.has(name);
  }

  /** What everybody who runs said last. */
  get lastWords(): string {
    const said = [...this.#running].map(
      ([name, child]) => `${name}: ${child.output().slice(-800)}`,
    );
    return said.join('\n');
  }

  /** Resolves when the buyer's copy is complete, or the buyer has failed. */
  async buyerEnded(): Promise<void> {
    await this.#running.get('buyer')?.ended;
  }

  startChain(): void {
    this.#watch('chain', this.#stage.startChain());
  }

  startSeller(uploadLimit: string = UPLOAD_LIMIT): void {
    const options = ['--ask', ASK_BTT, '--upload-limit', uploadLimit];
    const seller = this.#stage.seed({ name: 'seller', options });
    this.#watch('seller', seller);
    portOf(seller).then(
      (port) => {
        this.#tap.target = port;
      },
      () => {},
    );
  }

  /** Starts the buyer; when its copy is complete it begins another one until told to end. */
  async startBuyer(): Promise<void> {
    const to = `got-${this.#transfer}`;
    const options = ['--max-price', MAX_PRICE_BTT, '--budget', BUDGET_BTT];
    const setup = { name: 'buyer', to, peers: [this.#tap.port], options };
    this.#watch('buyer', await this.#stage.download(setup));
  }

  /** The seller's `wallet claims`, while the seller itself is down. */
  startClaimer(): Child {
    const home = ['--data-dir', this.#stage.home('seller'), ...this.#stage.chainOptions];
    const claimer = this.#stage.start(['wallet', 'claims', ...home]);
    this.#watch('claimer', claimer);
    return claimer;
  }

  /** Kills at once and waits until it is gone; its children are left alone. */
  async kill(victim: Victim): Promise<void> {
    if (victim === 'anvil') {
      for (const pid of this.#stage.anvilPids()) killQuietly(pid);
      return;
    }
    const child = this.#running.get(victim);
    if (!child) return;
    this.#expected.add(child);
    killQuietly(child.pid);
    await child.ended;
  }

  /** Ends all as Ctrl-C does. */
  async stop(): Promise<void> {
    for (const victim of ['buyer', 'seller', 'chain'] as const) {
      const child = this.#running.get(victim);
      if (!child) continue;
      this.#expected.add(child);
      await child.stop('SIGINT', 15_000);
    }
  }

  #watch(name: string, child: Child): void {
    this.#running.set(name, child);
    void child.ended.then(({ code, signal }) => {
      if (this.#running.get(name) === child) this.#running.delete(name);
      this.#note(name, child);
      if (name === 'buyer' && code === 0) this.#finish(child.lines().at(-1));
      else if (name === 'claimer' && code === 0) return;
      else if (name !== 'buyer' && MAY_GIVE_UP.test(child.output())) return;
      else if (!this.#expected.has(child)) {
        this.#faults.push(`${name} ended with ${signal ?? code} by itself:\n${child.output()}`);
      }
    });
  }

  #finish(summary: JsonLine | undefined): void {
    if (summary?.ok !== true) return;
    this.finished.push(this.#stage.copy('buyer', `got-${this.#transfer}`));
    this.#transfer += 1;
  }

  #note(name: string, child: Child): void {
    const said = child.output().split('\n');
    const plain = said.filter((line) => line !== '' && !line.startsWith('{'));
    for (const line of plain) this.#notices.push(`${name}: ${line}`);
  }
}
