/** A UDP port on both families, shared by protocols that tell their datagrams apart. */
import { createSocket, type Socket } from 'node:dgram';
import type { DatagramTaker, Egress } from '../egress/index.ts';
import { PlatformError } from '../platform-error.ts';
import { type DatagramPort, DatagramTakers } from './datagram-port.ts';

/** Where to listen. */
export interface UdpPortOptions {
  /** Any other if it is taken; 0 lets the system choose. */
  readonly port: number;
  /** Bound to its address, or to all of both families. */
  readonly egress: Egress;
}

/** Bursts come faster than they are read. The system may allow less. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Open sockets, at least one. */
export class UdpPort implements DatagramPort {
  readonly #ipv4: Socket | null;
  readonly #ipv6: Socket | null;
  readonly #takers = new DatagramTakers();
  readonly #egress: Egress;
  #isClosed = false;

  private constructor(egress: Egress, ipv4: Socket | null, ipv6: Socket | null) {
    this.#egress = egress;
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
    for (const socket of [ipv4, ipv6]) {
      socket?.on('message', (bytes, { address, port }) => {
        this.#takers.dispatch(bytes, address, port);
      });
    }
  }

  /** Binds; a family that the machine lacks is left out. Throws PLATFORM_LISTEN without any. */
  static async open({ port, egress }: UdpPortOptions): Promise<UdpPort> {
    const { bindHost } = egress;
    const wants4 = bindHost === null || !bindHost.includes(':');
    const wants6 = bindHost === null || bindHost.includes(':');
    let failure: unknown = null;
    const attempt = async (family: 4 | 6, where: number): Promise<Socket | null> => {
      const host = bindHost ?? (family === 4 ? '0.0.0.0' : '::');
      const bound = bind(family, where, host).catch(() => bind(family, 0, host));
      return bound.catch((error) => {
        failure ??= error;
        return null;
      });
    };
    const ipv4 = wants4 ? await attempt(4, port) : null;
    const ipv6 = wants6 ? await attempt(6, ipv4?.address().port ?? port) : null;
    if (ipv4 || ipv6) return new UdpPort(egress, ipv4, ipv6);
    const text = 'cannot open a UDP port: --no-utp goes without';
    throw new PlatformError('PLATFORM_LISTEN', text, { bindHost }, { cause: failure });
  }

  /** The bound port: that of IPv4 where there is one. */
  get port(): number {
    return (this.#ipv4 ?? this.#ipv6)?.address().port ?? 0;
  }

  listen(isFor: (bytes: Uint8Array) => boolean, take: DatagramTaker): void {
    this.#takers.add(isFor, take);
  }

  send(bytes: Uint8Array, host: string, port: number): void {
    if (this.#isClosed || this.#egress.isAway) return;
    (host.includes(':') ? this.#ipv6 : this.#ipv4)?.send(bytes, port, host);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ipv4?.close();
    this.#ipv6?.close();
  }
}

function bind(family: 4 | 6, port: number, address: string): Promise<Socket> {
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    // Only literal addresses are sent to: looking them up would cost a turn of the loop each.
    lookup: (host, _options, done) => done(null, host, family),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address }, () => {
      socket.removeAllListeners('error');
      // "Port unreachable" for one datagram is no failure of the socket.
      socket.on('error', () => {});
      enlarge(socket);
      // Waiting for strangers must not keep the program alive.
      socket.unref();
      resolve(socket);
    });
  });
}

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // Smaller buffers lose more in bursts; the stream arrives all the same.
  }
}
