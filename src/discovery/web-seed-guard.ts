/**
 * Which web servers may be asked for a torrent's data (BEP 19). Like trackers, they are named by
 * the torrent's author, who must not be able to make us talk to this machine or its network.
 */
import { classifyAddress } from './address-class.ts';

/** A target to judge: one address of a web seed's URL, and who sent us there. */
export interface WebSeedTarget {
  /** A literal address of the URL's host; null when only the proxy that we go through knows it. */
  readonly address: string | null;
  /** Whether the URL has a query: on a local server that may be a command. */
  readonly hasQuery: boolean;
  /** Address of the server that redirected here; null for the torrent's own URL. */
  readonly redirectedFrom: string | null;
}

/**
 * Why this address may not be asked, as the end of a sentence, or null when it may. The rules are
 * those of trackers: on the local network only without a query, and never because a public server
 * redirected there.
 */
export function refusalOfWebSeed(target: WebSeedTarget): string | null {
  const { address, hasQuery, redirectedFrom } = target;
  const kind = address === null ? 'public' : classifyAddress(address);
  if (kind === 'unusable') return `its address ${address} cannot be a server's`;
  if (kind === 'public') return null;
  if (redirectedFrom !== null && classifyAddress(redirectedFrom) !== 'local') {
    return `it redirects into the local network (${address})`;
  }
  if (hasQuery) return `a web seed on the local network (${address}) must have no query`;
  return null;
}
