/**
 * Small proxies with real sockets, for tests: they write down what they were asked for, and lead to
 * this machine alone.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import net from 'node:net';
import type { ProxyAddress } from '../proxy-address.ts';
import { startTestRelay } from './test-relay.ts';

/** How a proxy behaves. */
export interface TestProxyOptions {
  readonly kind: ProxyAddress['kind'];
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string;
  /** Default any that is free. */
  readonly port?: number;
  /** Whom it lets in; left out, everybody. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Whether it relays datagrams, and what it says of where; left out, it refuses to. */
  readonly udp?: { readonly saidHost?: string };
  /** Names it knows, and the addresses they stand for. */
  readonly names?: Readonly<Record<string, string>>;
}

/** A running proxy. */
export interface TestProxy extends AsyncDisposable {
  /** What a client is given. */
  readonly address: ProxyAddress;
  /** The same as an option of the command line. */
  readonly url: string;
  /** Every destination asked for, `host:port`, names as they came. */
  readonly asked: readonly string[];
  /** Where datagrams were to go, in the same way. */
  readonly relayed: readonly string[];
  /** Ends every connection; it goes on listening. */
  hangUp(): void;
  close(): Promise<void>;
}

/** Destination of a connection, to be made and joined by `through`. */
interface Wish {
  readonly client: net.Socket;
  readonly host: string;
  readonly port: number;
  readonly answer: (isOpen: boolean) => void;
}

/** What a client may want: a connection, or datagrams relayed. */
interface Desk {
  readonly through: (wish: Wish) => void;
  readonly relay: (client: net.Socket) => void;
}

/** Starts a proxy. */
export async function startTestProxy(options: TestProxyOptions): Promise<TestProxy> {
  const asked: string[] = [];
  const relayed: string[] = [];
  const sockets = new Set<net.Socket>();
  const through = ({ client, host, port, answer }: Wish): void => {
    asked.push(`${host}:${port}`);
    const found = /^(?:127\.|::1$)/.test(host) ? host : options.names?.[host];
    if (found === undefined) {
      answer(false);
      return;
    }
    const far = net.connect({ host: found, port });
    keep(sockets, far);
    far.once('error', () => answer(false));
    far.once('connect', () => {
      answer(true);
      client.pipe(far).pipe(client);
    });
  };
  const relay = (client: net.Socket): void => {
    if (!options.udp) return void client.end(Uint8Array.of(5, 7, 0, 1, 0, 0, 0, 0, 0, 0));
    const onDatagram = (place: string): void => void relayed.push(place);
    const { udp, names = {} } = options;
    void startTestRelay(client, { ...udp, names, onDatagram });
  };
  const desk = { through, relay };
  const server = options.kind === 'http' ? httpProxy(options, through) : socksProxy(options, desk);
  server.on('connection', (socket: net.Socket) => keep(sockets, socket));
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const { address: host, port } = server.address() as net.AddressInfo;
  const { user, password } = options.login ?? { user: '', password: '' };
  const login = options.login ? `${encodeURIComponent(user)}:${encodeURIComponent(password)}@` : '';
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const close = async (): Promise<void> => {
    hangUp();
    server.close();
  };
  return {
    address: { kind: options.kind, host, port, user, password },
    url: `${options.kind}://${login}${host}:${port}`,
    asked,
    relayed,
    hangUp,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A server that answers every connection's bytes as `say` wants: for proxies that are none. */
export async function startLiar(
  say: (socket: net.Socket, heard: Uint8Array) => void,
  onConnect: (socket: net.Socket) => void = () => {},
): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    keep(sockets, socket);
    onConnect(socket);
    socket.on('data', (heard) => say(socket, heard));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function keep(sockets: Set<net.Socket>, socket: net.Socket): void {
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
}

function httpProxy({ login }: TestProxyOptions, through: (wish: Wish) => void): net.Server {
  const wanted = login && `Basic ${btoa(`${login.user}:${login.password}`)}`;
  const server = createHttpServer((_request, response) => response.writeHead(400).end());
  server.on('connect', (request, socket: net.Socket) => {
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const answer = (isOpen: boolean): void => {
      if (isOpen) socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      else socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    };
    const host = hostname.replace(/^\[|\]$/g, '');
    through({ client: socket, host, port: Number(port || 80), answer });
  });
  return server;
}

/** SOCKS5 with messages that arrive whole, as those of a client on this machine do. */
function socksProxy({ login }: TestProxyOptions, desk: Desk): net.Server {
  return net.createServer((client) => {
    client.once('data', (hello) => {
      const method = login ? 2 : 0;
      if (!hello.subarray(2).includes(method)) return client.end(Uint8Array.of(5, 0xff));
      client.write(Uint8Array.of(5, method));
      if (!login) return client.once('data', (wish) => serve(client, wish, desk));
      return client.once('data', (given) => {
        const userEnd = 2 + (given[1] ?? 0);
        const user = given.toString('utf8', 2, userEnd);
        const password = given.toString('utf8', userEnd + 1);
        const isRight = user === login.user && password === login.password;
        client.write(Uint8Array.of(1, isRight ? 0 : 1));
        if (isRight) client.once('data', (wish) => serve(client, wish, desk));
        else client.end();
      });
    });
  });
}

function serve(client: net.Socket, wish: Buffer, { through, relay }: Desk): void {
  if (wish[1] === 3) {
    relay(client);
    return;
  }
  const [, , , kind = 0, length = 0] = wish;
  const end = kind === 1 ? 8 : kind === 4 ? 20 : 5 + length;
  const bytes = wish.subarray(4, end);
  const host =
    kind === 1 ? bytes.join('.') : kind === 4 ? inColons(bytes) : bytes.toString('latin1', 1);
  const answer = (isOpen: boolean): void => {
    client.write(Uint8Array.of(5, isOpen ? 0 : 4, 0, 1, 0, 0, 0, 0, 0, 0));
    if (!isOpen) client.end();
  };
  through({ client, host, port: wish.readUInt16BE(end), answer });
}

function inColons(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, nth) => bytes.readUInt16BE(2 * nth).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
