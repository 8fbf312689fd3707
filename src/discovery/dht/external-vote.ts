/** What our address is, as the nodes that answer us see it (BEP 42, "Bootstrapping"). */
import { classifyAddress } from '../address-class.ts';
import { prefixOf } from './address-rules.ts';

/** Votes kept: the latest ones, one per prefix. */
const VOTES_MAX = 32;

/** Prefixes that must agree before an address is believed. */
const AGREEING_MIN = 4;

/** Counts what nodes say; one prefix, one vote. */
export class ExternalVote {
  readonly #votes = new Map<string, string>();
  #winner: string | null = null;

  /** The address most believe in; null before enough agree. */
  get address(): string | null {
    return this.#winner;
  }

  /** A node at `voter` says we are at `host`. True when that changed what we believe. */
  add(voter: string, host: string): boolean {
    if (classifyAddress(voter) !== 'public' || classifyAddress(host) !== 'public') return false;
    const prefix = prefixOf(voter);
    this.#votes.delete(prefix);
    this.#votes.set(prefix, host);
    const [oldest] = this.#votes.keys();
    if (this.#votes.size > VOTES_MAX && oldest !== undefined) this.#votes.delete(oldest);
    if (this.#winner === host) return false;
    const agreeing = [...this.#votes.values()].filter((other) => other === host).length;
    const isBelieved = agreeing >= AGREEING_MIN && agreeing * 2 > this.#votes.size;
    if (!isBelieved) return false;
    this.#winner = host;
    return true;
  }
}
