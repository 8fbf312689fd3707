/** The chain's time, read without asking the chain: ours, and how far the chain is ahead of it. */
import type { Chain } from '../../chain/index.ts';
import { type UnixSeconds, unixSeconds } from '../../units/index.ts';

/** Seconds on the clock by which allotments expire. */
export class ChainClock {
  readonly #chain: Chain;
  #aheadSeconds = 0;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** The time now. Never behind this machine's clock. */
  now(): UnixSeconds {
    return unixSeconds(this.nowMs() / 1_000 + this.#aheadSeconds);
  }

  /** This machine's clock, for the history. */
  nowMs(): number {
    return Date.now();
  }

  /** Asks the chain. Only the embedded chain's clock is ever moved. */
  async refresh(): Promise<void> {
    if (this.#chain.network.name !== 'local') return;
    this.#aheadSeconds = await this.#chain.clockAheadSeconds(this.nowMs());
  }
}
