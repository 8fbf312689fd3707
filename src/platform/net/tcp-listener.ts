/** The port peers reach us at. */
import net from 'node:net';
import type { Connection, ConnectionEvents } from '../../engine/index.ts';
import { PlatformError } from '../platform-error.ts';
import { adoptSocket } from './adopt-socket.ts';
import { plainHost } from './socket-failure.ts';
import { TcpConnection } from './tcp-connection.ts';

/** A listening port. */
export interface TcpListener {
  readonly port: number;
  close(): void;
}

/** Where to listen. Port 0 lets the system choose; without a host both IPv4 and IPv6 are served. */
export interface ListenOptions {
  readonly port: number;
  readonly host?: string;
  /** Told of every socket that was let in. */
  readonly keep?: (socket: net.Socket) => void;
}

/**
 * Listens, and hands every connection to `accept`, which returns where its events go.
 *
 * @throws PlatformError PLATFORM_PORT_TAKEN, PLATFORM_LISTEN
 */
export function listenTcp(
  options: ListenOptions,
  accept: (connection: Connection) => ConnectionEvents,
): Promise<TcpListener> {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (donor) => {
    donor.on('error', () => donor.destroy());
    const host = plainHost(donor.remoteAddress ?? '');
    const port = donor.remotePort;
    // The peer may be gone before we look at it.
    if (host === '' || port === undefined) {
      donor.destroy();
      return;
    }
    const connection = new TcpConnection({ host, port }, false);
    const socket = adoptSocket(donor, connection);
    options.keep?.(socket);
    connection.attach(socket, accept(connection));
    socket.resume();
  });
  return start(server, options);
}

function start(server: net.Server, options: ListenOptions): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    server.once('error', (failure: NodeJS.ErrnoException) => {
      reject(listenFailure(failure, options));
    });
    const onListening = (): void => {
      // Without descriptors left, accepting fails: those peers come again, the port stays open.
      server.on('error', () => {});
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : options.port;
      resolve({ port, close: () => server.close() });
    };
    if (options.host === undefined) server.listen({ port: options.port }, onListening);
    else server.listen({ port: options.port, host: options.host }, onListening);
  });
}

function listenFailure(failure: NodeJS.ErrnoException, options: ListenOptions): PlatformError {
  const details = { port: options.port, host: options.host };
  if (failure.code === 'EADDRINUSE') {
    const text = `port ${options.port} is taken by another program: choose another with --port`;
    return new PlatformError('PLATFORM_PORT_TAKEN', text, details, { cause: failure });
  }
  const where = `${options.host ?? '*'}:${options.port}`;
  const text = `cannot listen on ${where}: ${failure.message}`;
  return new PlatformError('PLATFORM_LISTEN', text, details, { cause: failure });
}
