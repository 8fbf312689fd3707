/** Remembers by which way an address was reached, and when the other way is worth a try. */
import type { DialWay } from './encryption-policy.ts';
import type { PeerAddress } from './peer-book.ts';

/** Addresses remembered; for others the policy's first way is tried first. */
const ADDRESSES_MAX = 2000;

interface Memory {
  way: DialWay;
  /** Ways that failed one after the other, up to now. */
  failures: number;
}

/** The ways to dial, by address. */
export class DialWays {
  readonly #ways: readonly DialWay[];
  readonly #memories = new Map<string, Memory>();

  /** `ways` are those the policy allows, the first one first. */
  constructor(ways: readonly DialWay[]) {
    this.#ways = ways;
  }

  /** The way to try now. Where nothing is known, what others say the peer wants counts. */
  next(address: PeerAddress): DialWay {
    const isTold = address.wantsEncryption && this.#ways.includes('encrypted');
    return this.#memories.get(keyOf(address))?.way ?? (isTold ? 'encrypted' : this.#first);
  }

  /** The peer there has shaken hands: this way is the first from now on. */
  onWorked(address: PeerAddress, way: DialWay): void {
    const key = keyOf(address);
    this.#memories.delete(key);
    if (way !== this.#first) this.#remember(key, { way, failures: 0 });
  }

  /**
   * The peer there took the connection and ended it before shaking hands. True when another way is
   * to be tried at once: each is tried once, then the wait of a failed address begins.
   */
  onCutOff(address: PeerAddress, way: DialWay): boolean {
    const key = keyOf(address);
    const failures = (this.#memories.get(key)?.failures ?? 0) + 1;
    const other = this.#ways[(this.#ways.indexOf(way) + 1) % this.#ways.length] ?? way;
    this.#memories.delete(key);
    this.#remember(key, { way: other, failures: failures % this.#ways.length });
    return failures % this.#ways.length !== 0;
  }

  get #first(): DialWay {
    return this.#ways[0] ?? 'plain';
  }

  #remember(key: string, memory: Memory): void {
    this.#memories.set(key, memory);
    const oldest = this.#memories.keys().next().value;
    if (this.#memories.size > ADDRESSES_MAX && oldest !== undefined) this.#memories.delete(oldest);
  }
}

function keyOf(address: PeerAddress): string {
  return `${address.host} ${address.port}`;
}
