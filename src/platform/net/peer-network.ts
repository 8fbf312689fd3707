/** All ways to reach peers and to be reached, behind one port number. */
import type { Socket } from 'node:net';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';
import type { Egress } from '../egress/index.ts';
import { PlatformError } from '../platform-error.ts';
import type { DatagramPort } from './datagram-port.ts';
import { DEAF } from './deaf.ts';
import { IpGate, readIpList, watchIpList } from './ip-gate.ts';
import { namedDialer } from './named-dialer.ts';
import { racedDialer } from './raced-dialer.ts';
import { RelayedPort } from './relayed-port.ts';
import { tcpDialer } from './tcp-dialer.ts';
import { listenTcp, type TcpListener } from './tcp-listener.ts';
import { UdpPort } from './udp-port.ts';
import { UtpSocket } from './utp-socket.ts';

/** Which transports, and where. */
export interface PeerNetworkOptions {
  /** Port for TCP and UDP; 0 lets the system choose; null does not listen. */
  readonly port: number | null;
  /** The way out. Through a proxy there is no listening, and uTP if it carries datagrams. */
  readonly egress: Egress;
  readonly useTcp: boolean;
  readonly useUtp: boolean;
  /** Path of a filter list, read again when it changes; null filters nobody. */
  readonly ipList: string | null;
}

/** Open ports, and how to dial from them. */
export class PeerNetwork {
  readonly dialer: Dialer;
  /** Dials by uTP alone, from the port that others know; null when there is none. */
  readonly utpDialer: Dialer | null;
  /** The port peers reach us at; 0 when we do not listen. */
  readonly port: number;
  readonly #listener: TcpListener | null;
  readonly #udp: DatagramPort | null;
  readonly #utp: UtpSocket | null;
  readonly #stopWatching: () => void;

  private constructor(parts: {
    readonly dialer: Dialer;
    readonly utpDialer: Dialer | null;
    readonly port: number;
    readonly listener: TcpListener | null;
    readonly udp: DatagramPort | null;
    readonly utp: UtpSocket | null;
    readonly stopWatching: () => void;
  }) {
    this.dialer = parts.dialer;
    this.utpDialer = parts.utpDialer;
    this.port = parts.port;
    this.#listener = parts.listener;
    this.#udp = parts.udp;
    this.#utp = parts.utp;
    this.#stopWatching = parts.stopWatching;
  }

  /**
   * Opens what is wanted. Where UDP cannot be had beside TCP, it goes on without uTP.
   *
   * @throws PlatformError PLATFORM_PORT_TAKEN, PLATFORM_LISTEN, PLATFORM_IP_LIST
   */
  static async open(
    options: PeerNetworkOptions,
    acceptAny: (connection: Connection) => ConnectionEvents,
  ): Promise<PeerNetwork> {
    const { egress, useTcp, ipList } = options;
    const { bindHost } = egress;
    const port = egress.isOpen ? options.port : null;
    const gate = ipList === null ? null : new IpGate(readIpList(ipList));
    const accept = gate ? gate.acceptor(acceptAny) : acceptAny;
    const keep = (socket: Socket): void => egress.keep(socket);
    const where = bindHost === null ? {} : { host: bindHost, keep };
    const listener = useTcp && port !== null ? await listenTcp({ port, ...where }, accept) : null;
    const relayed = options.useUtp && egress.hasProxy && egress.carriesUdp;
    const relay = relayed ? new RelayedPort(egress) : null;
    const own = options.useUtp && egress.isOpen ? await openUdp(options, listener) : null;
    const udp = relay ?? own;
    const utp = udp && new UtpSocket(udp, port === null ? refuse : accept);
    const utpDialer = own && utp ? utp.dialer : null;
    const dialer = racedDialer({
      tcp: useTcp ? tcpDialer(egress) : null,
      utp: utp && (relay?.dialer(utp.dialer) ?? namedDialer(utp.dialer, egress)),
    });
    return new PeerNetwork({
      dialer: gate?.dialer(dialer) ?? dialer,
      utpDialer: (utpDialer && gate?.dialer(utpDialer)) ?? utpDialer,
      stopWatching:
        gate && ipList !== null ? watchIpList(ipList, (list) => gate.replace(list)) : () => {},
      port: port === null ? 0 : (listener?.port ?? udp?.port ?? 0),
      listener,
      udp,
      utp,
    });
  }

  /** Nobody can reach us any more; connections go on. */
  stopListening(): void {
    this.#listener?.close();
  }

  /** Ends what is left. */
  async close(): Promise<void> {
    this.#stopWatching();
    this.#listener?.close();
    await this.#utp?.close();
    this.#udp?.close();
  }
}

async function openUdp(
  { port, egress, useTcp }: PeerNetworkOptions,
  listener: TcpListener | null,
): Promise<UdpPort | null> {
  try {
    return await UdpPort.open({ port: listener?.port ?? port ?? 0, egress });
  } catch (failure) {
    if (useTcp && failure instanceof PlatformError) return null;
    throw failure;
  }
}

/** For nodes that do not listen. */
function refuse(connection: Connection): ConnectionEvents {
  connection.close('we do not listen');
  return DEAF;
}
