/** uTP through a SOCKS5 proxy: datagrams by its relay. Nobody can come in by it. */
import { isIP } from 'node:net';
import type { Dialer } from '../../engine/index.ts';
import type { DatagramRelay, DatagramTaker, Egress } from '../egress/index.ts';
import { type DatagramPort, DatagramTakers } from './datagram-port.ts';
import { PendingConnection } from './pending-connection.ts';

/** A relay as a port. The proxy is asked for it when something is sent. */
export class RelayedPort implements DatagramPort {
  /** That of the proxy outside is not told to us. */
  readonly port = 0;
  readonly #takers = new DatagramTakers();
  readonly #relay: DatagramRelay;

  constructor(egress: Egress) {
    this.#relay = egress.relay({
      onDatagram: (bytes, host, port) => this.#takers.dispatch(bytes, host, port),
    });
  }

  listen(isFor: (bytes: Uint8Array) => boolean, take: DatagramTaker): void {
    this.#takers.add(isFor, take);
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    this.#relay.send(bytes, host, port);
  }

  close(): void {
    this.#relay.close();
  }

  /** Fails at once what would only time out: while the proxy carries no datagrams, and names. */
  dialer(inner: Dialer): Dialer {
    return {
      connect: (host, port, events) => {
        // Who answers is known by an address, which the proxy does not tell.
        const isName = isIP(host) === 0;
        if (!isName && !this.#relay.isRefused) return inner.connect(host, port, events);
        const pending = new PendingConnection({ host, port }, events, () => {});
        pending.fail(isName ? 'uTP needs an address' : 'the proxy carries no UDP');
        return pending;
      },
    };
  }
}
