/** What uTP needs of a UDP port, whether it is one of ours or a proxy's. */
import type { DatagramTaker } from '../egress/index.ts';

/** A port shared by protocols that tell their datagrams apart. */
export interface DatagramPort {
  /** The number that others reach it at; 0 when nobody can. */
  readonly port: number;
  /** Datagrams for which `isFor` holds go to `take`, unless an earlier taker has them. */
  listen(isFor: (bytes: Uint8Array) => boolean, take: DatagramTaker): void;
  /** Sends to a literal address. Lends `bytes`. What cannot be sent is lost, as datagrams are. */
  send(bytes: Uint8Array, host: string, port: number): void;
  /** Closing twice is closing once. */
  close(): void;
}

/** Those who take what comes to a port. */
export class DatagramTakers {
  readonly #takers: { readonly isFor: (bytes: Uint8Array) => boolean; take: DatagramTaker }[] = [];

  /** See `DatagramPort.listen`. */
  add(isFor: (bytes: Uint8Array) => boolean, take: DatagramTaker): void {
    this.#takers.push({ isFor, take });
  }

  /** Hands a datagram to the first whose it is. */
  dispatch(bytes: Uint8Array, host: string, port: number): void {
    if (port === 0) return;
    for (const { isFor, take } of this.#takers) {
      if (!isFor(bytes)) continue;
      take(bytes, host, port);
      return;
    }
  }
}
