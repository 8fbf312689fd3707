/** Fuzzed bytes as what a proxy says when it is asked for a connection, or for datagrams. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { PlatformError } from '../../platform-error.ts';
import type { Greeting, HostPort, TunnelEnd } from '../greeting.ts';
import { greetHttp } from '../http-greeting.ts';
import type { ProxyAddress } from '../proxy-address.ts';
import { askSocksForUdp, greetSocks } from '../socks-greeting.ts';

/** Asks a SOCKS5 proxy that answers with this. Resolves to how much came after its consent. */
export function meetSocksProxy(input: Uint8Array): Promise<number> {
  return meet(greetSocks, { kind: 'socks5', input });
}

/** Asks one to relay datagrams. Resolves to where it wants them. */
export function askScriptedProxyForUdp(input: Uint8Array): Promise<HostPort> {
  return talk(input, (socket) => askSocksForUdp(proxyOf('socks5'), socket));
}

/** The same of an HTTP proxy. */
export function meetHttpProxy(input: Uint8Array): Promise<number> {
  return meet(greetHttp, { kind: 'http', input });
}

/** Answers as SOCKS5 proxies give them: to the greeting, to the login, to the wish. */
export function socksAnswers(): readonly Uint8Array[] {
  const granted = [5, 0, 0, 1, 127, 0, 0, 1, 4, 56];
  const named = [5, 0, 0, 3, 4, 104, 111, 115, 116, 4, 56];
  const longer = [5, 0, 0, 4, ...new Array<number>(18).fill(1)];
  const talks = [
    ...[
      [5, 0, ...granted],
      [5, 2, 1, 0, ...granted],
      [5, 0, ...named],
      [5, 0, ...longer],
    ],
    ...[
      [5, 0, ...granted, 19, 66, 105, 116],
      [5, 2, 1, 1],
      [5, 255],
      [5, 0, 5, 4, 0, 1, 0, 0],
    ],
  ];
  return talks.map((talk) => Uint8Array.from(talk));
}

/** Answers as HTTP proxies give them. */
export function connectAnswers(): readonly string[] {
  return [
    'HTTP/1.1 200 Connection established\r\n\r\n',
    'HTTP/1.0 200 OK\r\nVia: 1.1 x\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 2\r\n\r\nno',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ];
}

interface Meeting {
  readonly kind: 'socks5' | 'http';
  readonly input: Uint8Array;
}

async function meet(
  greet: (greeting: Greeting) => Promise<TunnelEnd>,
  { kind, input }: Meeting,
): Promise<number> {
  const to = { host: 'peer.test', port: 6881 };
  const { head } = await talk(input, (socket) => greet({ proxy: proxyOf(kind), to, socket }));
  return head.length;
}

function proxyOf(kind: 'socks5' | 'http'): ProxyAddress {
  return { kind, host: 'proxy.test', port: 1, user: 'me', password: 'secret' };
}

async function talk<T>(input: Uint8Array, speak: (socket: Socket) => Promise<T>): Promise<T> {
  const stream = new AnsweringProxy(input);
  try {
    // What is needed of a socket is a stream.
    return await speak(stream as unknown as Socket);
  } catch (failure) {
    // The tunnel makes the same of them; a mistake of ours is none of these.
    const isOurs = failure instanceof TypeError || failure instanceof RangeError;
    if (isOurs || !(failure instanceof Error)) throw failure;
    throw new PlatformError('PLATFORM_PROXY', failure.message);
  } finally {
    stream.destroy();
  }
}

/** Says it all once it is spoken to, in two parts, and hangs up. */
class AnsweringProxy extends Duplex {
  #parts: Uint8Array[];

  constructor(input: Uint8Array) {
    super({ allowHalfOpen: false });
    const middle = input.length >> 1;
    this.#parts = [input.subarray(0, middle), input.subarray(middle)];
    this.on('error', () => {});
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
    setImmediate(() => this.#say());
  }

  override _read(): void {}

  #say(): void {
    if (this.readableEnded || this.destroyed) return;
    const part = this.#parts.shift();
    if (part && part.length > 0) this.push(part);
    if (part) setImmediate(() => this.#say());
    else this.push(null);
  }
}
