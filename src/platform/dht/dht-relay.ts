/** The DHT through a SOCKS5 proxy: one relay in place of sockets. */
import type { Endpoint, Family } from '../../wire/index.ts';
import type { DatagramRelay, Egress } from '../egress/index.ts';
import type { DhtCarrier, PacketTaker } from './dht-sockets.ts';

/** Carries packets by the proxy. Names may be sent to, as well. */
export class DhtRelay implements DhtCarrier {
  /** Which of them the proxy reaches shows. */
  readonly families: readonly Family[] = [4, 6];
  /** That of the proxy outside is not told to us. */
  readonly port = 0;
  readonly #egress: Egress;
  readonly #relay: DatagramRelay;

  constructor(egress: Egress, onPacket: PacketTaker) {
    this.#egress = egress;
    this.#relay = egress.relay({
      onDatagram: (packet, host, port) => onPacket(packet, { host, port }),
    });
  }

  look(): boolean {
    this.#egress.look();
    return !this.#relay.isDown;
  }

  send(packet: Uint8Array, to: Endpoint): void {
    this.#relay.send(packet, to.host, to.port);
  }

  close(): void {
    this.#relay.close();
  }
}
