/** Which addresses strangers may tell of, and which of our peers an address is. */
import { toHex } from '../units/index.ts';
import { type Endpoint, parseIp, unmapIp } from '../wire/index.ts';
import type { Connection } from './ports.ts';

/** Where an address is: on the open internet, on this machine or its network, or nowhere. */
export type Classify = (host: string) => 'public' | 'local' | 'unusable';

/** A connected peer, as far as others may hear of it. */
export interface Neighbour {
  readonly connection: Pick<
    Connection,
    'remoteHost' | 'remotePort' | 'isOutbound' | 'isUtp' | 'isEncrypted'
  >;
  /** Where it listens, as it says itself; null while it has not. */
  readonly remoteListenPort: number | null;
}

/**
 * Whether a peer at `witness` may be told of `host`, and be believed about it. Everybody may speak
 * of public addresses, neighbours of those of our network, this machine of itself: nobody gets us
 * to knock at doors that he could not knock at himself.
 */
export function mayTell(
  { host, witness }: { readonly host: string; readonly witness: string },
  classify: Classify,
): boolean {
  const place = classify(host);
  if (place !== 'local') return place === 'public';
  return classify(witness) === 'local' && (!isLoopback(host) || isLoopback(witness));
}

/**
 * What counts as one when connections are counted: an IPv4 address, or the first 64 bits of an IPv6
 * address, which every user has for himself. Null for names, and for local addresses: behind a
 * router that rewrites them, as that of containers, all the world comes from one.
 */
export function placeOf(host: string, classify: Classify): string | null {
  const address = parseIp(host);
  if (!address || classify(host) === 'local') return null;
  return toHex(unmapIp(address).subarray(0, 8));
}

/** Whether a literal address is one of this machine's to itself. */
export function isLoopback(host: string): boolean {
  const address = parseIp(host);
  if (!address) return false;
  const bytes = unmapIp(address);
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, at) => byte === (at === 15 ? 1 : 0));
}

/** Whether an address is a peer's: where it is connected from, or where it listens. */
export function isAt({ connection, remoteListenPort }: Neighbour, address: Endpoint): boolean {
  const { host, port } = address;
  if (host !== connection.remoteHost) return false;
  return port === connection.remotePort || port === remoteListenPort;
}

/** Where others are to dial a peer by uTP: where it came from by uTP, else where it listens. */
export function utpEndpoint({ connection, remoteListenPort }: Neighbour): Endpoint {
  const { remoteHost: host, remotePort, isOutbound, isUtp } = connection;
  const isOwnPort = isUtp || isOutbound || remoteListenPort === null;
  return { host, port: isOwnPort ? remotePort : remoteListenPort };
}
