/** A connection through a proxy: to the proxy, then by its protocol on to where it shall lead. */
import { once } from 'node:events';
import net, { type LookupFunction } from 'node:net';
import { PlatformError } from '../platform-error.ts';
import { type Greeting, type HostPort, RefusedTarget, type TunnelEnd } from './greeting.ts';
import { describeProxy, type ProxyAddress } from './proxy-address.ts';

/** How sockets are to be connected by this machine itself. */
export interface DirectOptions {
  readonly localAddress?: string;
  readonly lookup?: LookupFunction;
}

/** What is needed for a connection to the proxy. */
export interface ProxyRequest {
  readonly proxy: ProxyAddress;
  readonly direct: DirectOptions;
  /** Told of the connection to the proxy at once. */
  readonly keep: (socket: net.Socket) => void;
  readonly signal: AbortSignal;
}

/** What is needed for a tunnel. */
export interface TunnelRequest extends ProxyRequest {
  readonly to: HostPort;
}

/** From the first packet to the proxy's consent: it has to reach the other side meanwhile. */
const TUNNEL_MS = 20_000;

/** The longest name of DNS; in SOCKS5 its length is one byte. */
const HOST_BYTES_MAX = 253;

/**
 * Opens a tunnel. A proxy has 20 seconds; whatever it sends that is not its protocol ends it.
 *
 * @throws PlatformError PLATFORM_PROXY, PLATFORM_PROXY_TARGET
 */
export async function openTunnel(request: TunnelRequest): Promise<TunnelEnd> {
  const { proxy, to } = request;
  try {
    return await reachProxy(request, (socket) => greet({ proxy, to, socket }));
  } catch (failure) {
    if (!(failure instanceof RefusedTarget)) throw failure;
    throw new PlatformError('PLATFORM_PROXY_TARGET', `the proxy ${failure.message}`);
  }
}

/**
 * Connects to the proxy and has `talk` agree with it what the connection is for, all in 20 seconds.
 * Passes `RefusedTarget` on.
 *
 * @throws PlatformError PLATFORM_PROXY
 */
export async function reachProxy<T>(
  { proxy, direct, keep, signal }: ProxyRequest,
  talk: (socket: net.Socket) => Promise<T>,
): Promise<T> {
  const socket = net.connect({ host: proxy.host, port: proxy.port, noDelay: true, ...direct });
  keep(socket);
  // The protocols below listen only while they speak.
  socket.on('error', () => {});
  const cancel = (reason: string): void => void socket.destroy(new Error(reason));
  const onAbort = (): void => cancel('is not needed any more');
  const timer = setTimeout(cancel, TUNNEL_MS, 'takes too long');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    await once(socket, 'connect');
    return await talk(socket);
  } catch (failure) {
    socket.destroy();
    if (failure instanceof RefusedTarget) throw failure;
    // Without the cause: errors of the SOCKS library carry the password.
    const text = `the proxy at ${describeProxy(proxy)} ${explain(failure)}`;
    throw new PlatformError('PLATFORM_PROXY', text);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Throws PLATFORM_PROXY_TARGET for a name that cannot be put to a proxy. */
export function checkTarget({ host }: HostPort): void {
  if (isName(host)) return;
  throw new PlatformError('PLATFORM_PROXY_TARGET', 'no proxy can be asked for such a name');
}

/** Whether a proxy can be asked to look this up. */
export function isName(host: string): boolean {
  return host.length <= HOST_BYTES_MAX && /^[\x21-\x7e]+$/.test(host);
}

/** Loaded with the first tunnel: most nodes have no proxy. */
async function greet(greeting: Greeting): Promise<TunnelEnd> {
  if (greeting.proxy.kind === 'socks5') {
    const { greetSocks } = await import('./socks-greeting.ts');
    return greetSocks(greeting);
  }
  const { greetHttp } = await import('./http-greeting.ts');
  return greetHttp(greeting);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'is not there: nobody listens',
  ECONNRESET: 'breaks the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  EADDRNOTAVAIL: 'cannot be reached from the bound address',
  EINVAL: 'cannot be reached from the bound address',
  ENOTFOUND: 'has a host name that does not exist',
  EAI_AGAIN: 'has a host name that cannot be looked up now',
  ETIMEDOUT: 'does not answer',
};

/** The system's codes in words; other failures are in words already. */
function explain(failure: unknown): string {
  if (!(failure instanceof Error)) return 'failed';
  const { code } = failure as NodeJS.ErrnoException;
  return (code === undefined ? undefined : REASONS[code]) ?? failure.message;
}
