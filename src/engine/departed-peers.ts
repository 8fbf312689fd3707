/** Where peers that are gone came from: they may still be found guilty, and banned. */
import type { PeerAddress } from './peer-book.ts';

/** Peers remembered; the oldest is forgotten. */
const ADDRESSES_MAX = 1000;

/** Addresses of departed peers, by the keys they had. */
export class DepartedPeers {
  readonly #addresses = new Map<number, PeerAddress>();

  add(peerKey: number, address: PeerAddress): void {
    this.#addresses.set(peerKey, address);
    const oldest = this.#addresses.keys().next().value;
    if (this.#addresses.size > ADDRESSES_MAX && oldest !== undefined) {
      this.#addresses.delete(oldest);
    }
  }

  /** Null when it is not remembered. */
  addressOf(peerKey: number): PeerAddress | null {
    return this.#addresses.get(peerKey) ?? null;
  }
}
