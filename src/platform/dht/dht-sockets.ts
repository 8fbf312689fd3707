/** The UDP sockets of the DHT: one for IPv4, one for IPv6 where the machine has it. */
import { createSocket, type Socket } from 'node:dgram';
import { type Endpoint, type Family, parseIp } from '../../wire/index.ts';
import type { Egress } from '../egress/index.ts';
import { PlatformError } from '../platform-error.ts';

/** Takes what comes, and who sent it. */
export type PacketTaker = (packet: Uint8Array, from: Endpoint) => void;

/** What carries the node's packets: sockets, or a proxy. */
export interface DhtCarrier {
  /** Those that packets can be sent to, at least one. */
  readonly families: readonly Family[];
  /** The UDP port that others reach us at; 0 when nobody can. */
  readonly port: number;
  /** Looks whether what is sent would leave as it should; else it is lost. */
  look(): boolean;
  /** Sends; what cannot be sent is lost, as any datagram may be. */
  send(packet: Uint8Array, to: Endpoint): void;
  close(): void;
}

/** Where to listen. */
export interface DhtSocketOptions {
  /** The peers' port: then others find both at the same number. Any other if it is taken. */
  readonly port: number;
  /** Bound to its address, or to all of both families. */
  readonly egress: Egress;
  readonly onPacket: PacketTaker;
}

/** Open sockets by family, at least one. */
export class DhtSockets implements DhtCarrier {
  readonly #egress: Egress;
  readonly #sockets: ReadonlyMap<Family, Socket>;

  private constructor(egress: Egress, sockets: ReadonlyMap<Family, Socket>) {
    this.#egress = egress;
    this.#sockets = sockets;
  }

  /** Binds; a family that cannot be is left out. Throws PLATFORM_LISTEN when none can. */
  static async open(options: DhtSocketOptions): Promise<DhtSockets> {
    const { bindHost } = options.egress;
    const families: readonly Family[] =
      bindHost === null ? [4, 6] : [bindHost.includes(':') ? 6 : 4];
    const sockets = new Map<Family, Socket>();
    let failure: unknown = null;
    for (const family of families) {
      try {
        sockets.set(family, await bindNear(family, options));
      } catch (error) {
        failure ??= error;
      }
    }
    if (sockets.size > 0) return new DhtSockets(options.egress, sockets);
    const reason = failure instanceof Error ? failure.message : String(failure);
    const text = `cannot open a UDP port for the DHT: ${reason}`;
    throw new PlatformError('PLATFORM_LISTEN', text, { bindHost }, { cause: failure });
  }

  get families(): readonly Family[] {
    return [...this.#sockets.keys()];
  }

  /** The IPv4 one where there is one. */
  get port(): number {
    const [socket] = this.#sockets.values();
    return socket?.address().port ?? 0;
  }

  look(): boolean {
    this.#egress.look();
    return !this.#egress.isAway;
  }

  send(packet: Uint8Array, to: Endpoint): void {
    if (this.#egress.isAway) return;
    const family: Family = to.host.includes(':') ? 6 : 4;
    try {
      this.#sockets.get(family)?.send(packet, to.port, to.host, () => {});
    } catch {
      // The socket has been closed.
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }
}

/** The wanted port, else any: the DHT works on every port, others only have to learn it. */
async function bindNear(family: Family, options: DhtSocketOptions): Promise<Socket> {
  try {
    return await bind(family, options.port, options);
  } catch (error) {
    if (options.port === 0) throw error;
    return bind(family, 0, options);
  }
}

function bind(family: Family, port: number, options: DhtSocketOptions): Promise<Socket> {
  const socket =
    family === 4 ? createSocket('udp4') : createSocket({ type: 'udp6', ipv6Only: true });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    const address = options.egress.bindHost ?? (family === 4 ? '0.0.0.0' : '::');
    socket.bind({ port, address }, () => {
      socket.removeAllListeners('error');
      // Errors of single datagrams ("port unreachable") are not failures of the socket.
      socket.on('error', () => {});
      socket.on('message', (packet, { address: host, port: from }) => {
        // A zone (fe80::1%eth0) means nothing to anybody else.
        const plain = host.split('%', 1)[0] ?? host;
        if (from > 0 && parseIp(plain)) options.onPacket(packet, { host: plain, port: from });
      });
      // Waiting for strangers must not keep the program alive.
      socket.unref();
      resolve(socket);
    });
  });
}
