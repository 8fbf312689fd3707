/** Outgoing connections. */
import net from 'node:net';
import type { Connection, ConnectionEvents, Dialer } from '../../engine/index.ts';
import { TcpConnection } from './tcp-connection.ts';

/** Dials over TCP, from `localAddress` when the user bound the node to one. */
export function tcpDialer(options: { readonly localAddress?: string } = {}): Dialer {
  return {
    connect(host: string, port: number, events: ConnectionEvents): Connection {
      const connection = new TcpConnection({ host, port }, true);
      const socket = net.connect({
        host,
        port,
        noDelay: true,
        onread: connection.readOptions(),
        ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      });
      connection.attach(socket, events);
      return connection;
    },
  };
}
