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
 * Looks names up from a bound address, or from any. From a bound one only addresses of its family
 * are of use, and the name servers are asked from there; where one is on this machine it goes its
 * own way, as does the system's resolver, which serves then.
 */
export class NameLookup {
  readonly #bindHost: string | null;
  #resolver: Resolver | null = null;

  constructor(bindHost: string | null) {
    this.#bindHost = bindHost;
  }

  /** All addresses. Throws what the resolver throws. */
  async lookUp(host: string): Promise<readonly string[]> {
    const bindHost = this.#bindHost;
    if (bindHost === null) return addressesOf(await lookup(host, { all: true, verbatim: true }));
    const family = bindHost.includes(':') ? 6 : 4;
    this.#resolver ??= makeResolver(bindHost);
    const resolver = this.#resolver;
    if (isLoopback(bindHost) || isLocalName(host) || hasLocalServer(resolver)) {
      return addressesOf(await lookup(host, { all: true, verbatim: true, family }));
    }
    return family === 4 ? resolver.resolve4(host) : resolver.resolve6(host);
  }

  /** The first of them. */
  async lookUpOne(host: string): Promise<{ readonly address: string; readonly family: number }> {
    const [address] = await this.lookUp(host);
    if (address !== undefined) return { address, family: address.includes(':') ? 6 : 4 };
    throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  }

  /** Ends questions that are under way: they fail. */
  cancel(): void {
    this.#resolver?.cancel();
  }
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
