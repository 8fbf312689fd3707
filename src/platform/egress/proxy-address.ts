/** Where a proxy is and who we are to it, as the user's URL says. */
import { hostAndPort } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';

/** A proxy. Plain values: it goes from thread to thread. Never shown but by `describeProxy`. */
export interface ProxyAddress {
  readonly kind: 'socks5' | 'http';
  /** Name, or literal address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty with an empty password: we do not log in. At most 255 bytes. */
  readonly user: string;
  readonly password: string;
}

const SCHEMES: Readonly<Record<string, ProxyAddress['kind']>> = {
  socks5: 'socks5',
  // As curl calls it when names are left to the proxy; ours always are.
  socks5h: 'socks5',
  http: 'http',
};

/** Lengths in SOCKS5 are one byte (RFC 1929). */
const LOGIN_BYTES_MAX = 255;

/**
 * Reads `socks5://[user:password@]host:port` or `http://…`; user and password percent-encoded. The
 * message of a failure never repeats the URL, which may hold a password.
 *
 * @throws PlatformError PLATFORM_PROXY_URL
 */
export function parseProxyUrl(text: string): ProxyAddress {
  const [, scheme = '', rest = ''] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(text.trim()) ?? [];
  const kind = SCHEMES[scheme.toLowerCase()];
  if (kind === undefined) throw bad('begins with socks5:// or http://');
  // A password may hold an @ that was not encoded.
  const at = rest.lastIndexOf('@');
  const [host, port] = readPlace(rest.slice(at + 1));
  const login = at < 0 ? '' : rest.slice(0, at);
  const colon = login.indexOf(':');
  const user = decode(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? '' : decode(login.slice(colon + 1));
  if (kind === 'http' && user.includes(':')) throw bad('has a user name without a colon');
  return { kind, host, port, user, password };
}

/** `host:port`: all of a proxy that people and logs are shown. */
export function describeProxy(proxy: ProxyAddress): string {
  return hostAndPort(proxy);
}

function readPlace(place: string): readonly [host: string, port: number] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+)):(\d{1,5})\/?$/i.exec(place);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined) throw bad('names a host and a port, and nothing after them');
  if (port < 1 || port > 65_535) throw bad('has a port from 1 to 65535');
  return [host, port];
}

function decode(text: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw bad('has every % of its user and password written as %25');
  }
  if (Buffer.byteLength(plain) > LOGIN_BYTES_MAX) {
    throw bad(`has a user and a password of at most ${LOGIN_BYTES_MAX} bytes each`);
  }
  return plain;
}

function bad(what: string): PlatformError {
  const text = `the URL of a proxy ${what}, like socks5://127.0.0.1:1080`;
  return new PlatformError('PLATFORM_PROXY_URL', text);
}
