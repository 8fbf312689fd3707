/** A tracker that listens: `TrackerService` behind an HTTP server and a UDP socket. */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type FastifyInstance, fastify } from 'fastify';
import { type TableOptions, TrackerService, type TrackerStats } from '../../tracker/index.ts';
import { hostAndPort, type Instant, instant } from '../../units/index.ts';
import { formatIp, parseIp, unmapIp } from '../../wire/index.ts';
import { systemRandom } from '../system-random.ts';
import { TrackerError } from './tracker-error.ts';

/** What to listen on and what to serve. */
export interface TrackerServerOptions {
  /** A literal address: `0.0.0.0` for IPv4, `::` for both families, `127.0.0.1` for tests. */
  readonly host: string;
  /** TCP port; 0 lets the kernel choose; null serves no HTTP. */
  readonly httpPort: number | null;
  /** UDP port; 0 lets the kernel choose; null serves no UDP. */
  readonly udpPort: number | null;
  readonly limits?: Partial<TableOptions>;
  /** Which torrents are served, given 20 bytes; all when absent. */
  readonly isAllowed?: (infoHash: Uint8Array) => boolean;
}

/** A running tracker. */
export interface TrackerServer {
  /** null when HTTP is not served. */
  readonly httpPort: number | null;
  readonly udpPort: number | null;
  /** Announce URLs with the host given to listen on, HTTP first. */
  readonly announceUrls: readonly string[];
  stats(): TrackerStats;
  /** Stops listening; what peers announced is forgotten. */
  close(): Promise<void>;
}

const EXPIRY_INTERVAL_MS = 60_000;

/** HTTP connections at once; the kernel queues the rest. */
const HTTP_CONNECTIONS_MAX = 4096;

/** An announce is one short GET: who needs longer is holding the connection on purpose. */
const HTTP_REQUEST_MS_MAX = 10_000;

/** Starts a tracker. Throws `TrackerError`, naming the address when its port is taken. */
export async function startTrackerServer(options: TrackerServerOptions): Promise<TrackerServer> {
  const secret = randomBytes(32);
  const now = (): Instant => instant(performance.now());
  const service = new TrackerService(
    {
      random: systemRandom,
      mac: (message) => createHmac('sha256', secret).update(message).digest(),
      ...(options.isAllowed ? { isAllowed: options.isAllowed } : {}),
    },
    options.limits,
  );
  const { host } = options;
  const http = options.httpPort === null ? null : httpServer(service, now);
  const udp = options.udpPort === null ? null : udpSocket({ service, now, host });
  const close = async (): Promise<void> => {
    clearInterval(expiry);
    await http?.close();
    if (udp) await new Promise<void>((resolve) => udp.close(() => resolve()));
  };
  const expiry = setInterval(() => service.expire(now()), EXPIRY_INTERVAL_MS);
  expiry.unref();
  try {
    const httpPort = http ? await listenHttp(http, host, options.httpPort ?? 0) : null;
    const udpPort = udp ? await bindUdp(udp, host, options.udpPort ?? 0) : null;
    const announceUrls = [
      ...(httpPort === null ? [] : [`http://${hostAndPort({ host, port: httpPort })}/announce`]),
      ...(udpPort === null ? [] : [`udp://${hostAndPort({ host, port: udpPort })}/announce`]),
    ];
    return { httpPort, udpPort, announceUrls, stats: () => service.stats(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function httpServer(service: TrackerService, now: () => Instant): FastifyInstance {
  const server = fastify({
    bodyLimit: 1024,
    requestTimeout: HTTP_REQUEST_MS_MAX,
    connectionTimeout: HTTP_REQUEST_MS_MAX,
    forceCloseConnections: true,
    // The parser would decode the info-hash as text; the raw query is read from `raw.url`.
    routerOptions: { querystringParser: () => ({}) },
  });
  server.server.maxConnections = HTTP_CONNECTIONS_MAX;
  server.get('*', (incoming, reply) => {
    const [path = '', ...query] = (incoming.raw.url ?? '').split('?');
    const host = canonicalHost(incoming.raw.socket.remoteAddress ?? '');
    const answer = service.http({ path, query: query.join('?'), host }, now());
    // Clients come back in half an hour: keeping the connection open would only cost memory.
    void reply
      .code(answer.status)
      .header('content-type', answer.contentType)
      .header('connection', 'close')
      .header('cache-control', 'no-store')
      .send(typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body));
  });
  return server;
}

interface UdpSocketParts {
  readonly service: TrackerService;
  readonly now: () => Instant;
  readonly host: string;
}

function udpSocket({ service, now, host }: UdpSocketParts): Socket {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('message', (view, remote) => {
    const source = canonicalHost(remote.address);
    const family = source.includes(':') ? 6 : 4;
    const answer = service.udp({ view, host: source, family }, now());
    // A lost answer is asked for again, so errors in sending need nothing.
    if (answer) socket.send(answer, remote.port, remote.address, () => {});
  });
  return socket;
}

async function listenHttp(server: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw listenError(error, { protocol: 'TCP', host, port });
  }
  const address = server.server.address();
  return typeof address === 'object' && address ? address.port : port;
}

function bindUdp(socket: Socket, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(listenError(error, { protocol: 'UDP', host, port })));
    socket.bind({ port, address: host }, () => {
      socket.removeAllListeners('error');
      // Errors of single datagrams (an unreachable client) must not stop the tracker.
      socket.on('error', () => {});
      resolve(socket.address().port);
    });
  });
}

interface ListenAttempt {
  readonly protocol: 'TCP' | 'UDP';
  readonly host: string;
  readonly port: number;
}

function listenError(error: unknown, { protocol, host, port }: ListenAttempt): TrackerError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${hostAndPort({ host, port })} (${protocol})`;
  const details = { host, port, protocol };
  const cause = { cause: error };
  switch (code) {
    case 'EADDRINUSE': {
      const message = `tracker cannot listen on ${where}: the port is taken, choose another`;
      return new TrackerError('TRACKER_PORT_TAKEN', message, details, cause);
    }
    case 'EACCES': {
      const message = `tracker cannot listen on ${where}: not permitted, choose a port above 1023`;
      return new TrackerError('TRACKER_LISTEN', message, details, cause);
    }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND': {
      const message = `tracker cannot listen on ${where}: this machine has no such address`;
      return new TrackerError('TRACKER_LISTEN', message, details, cause);
    }
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `tracker cannot listen on ${where}: ${reason}`;
      return new TrackerError('TRACKER_LISTEN', message, details, cause);
    }
  }
}

/** IPv4 clients of a dual-stack socket appear as `::ffff:a.b.c.d`; zones are cut off. */
function canonicalHost(address: string): string {
  const parsed = parseIp(address.split('%', 1)[0] ?? '');
  return parsed ? formatIp(unmapIp(parsed)) : address;
}
