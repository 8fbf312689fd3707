/** Names to addresses, asked from the address that everything leaves from. */
import { lookup, Resolver } from 'node:dns/promises';
import { isLoopback } from './bound-address.ts';

/** A name server that has not answered by then is asked once more, then given up. */
const TIMEOUT_MS = 3_000;

/** A resolver that asks name servers itself, from `bindHost` when that is not null. */
export function makeResolver(bindHost: string | null): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  if (bindHost === null || hasLocalServer(resolver)) return resolver;
  if (bindHost.includes(':')) resolver.setLocalAddress('0.0.0.0', bindHost);
  else resolver.setLocalAddress(bindHost);
  return resolver;
}

/**
 * The addresses of a name. From a bound address only those of its family are of use, and the name
 * servers are asked from there; where one is on this machine it goes its own way, as does the
 * system's resolver, which serves then.
 */
export async function lookUp(host: string, bindHost: string | null): Promise<readonly string[]> {
  if (bindHost === null) return addressesOf(await lookup(host, { all: true, verbatim: true }));
  const family = bindHost.includes(':') ? 6 : 4;
  const isNear = isLoopback(bindHost) || isLocalName(host);
  const resolver = isNear ? null : makeResolver(bindHost);
  if (!resolver || hasLocalServer(resolver)) {
    return addressesOf(await lookup(host, { all: true, verbatim: true, family }));
  }
  return family === 4 ? resolver.resolve4(host) : resolver.resolve6(host);
}

/** A name of this machine wherever it is looked up (RFC 6761). */
export function isLocalName(host: string): boolean {
  return /(?:^|\.)localhost\.?$/i.test(host);
}

function addressesOf(found: readonly { readonly address: string }[]): readonly string[] {
  return found.map(({ address }) => address);
}

function hasLocalServer(resolver: Resolver): boolean {
  // `[::1]:53` when the port is not the usual one.
  return resolver.getServers().some((server) => isLoopback(server.replace(/^\[|\].*$/g, '')));
}
