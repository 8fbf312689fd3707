/** Which connections a swarm as a whole should have, so that all agree whom to drop (BEP 40). */
import { concatBytes } from '../units/index.ts';
import { crc32c, type Endpoint, parseIp, unmapIp } from '../wire/index.ts';

/** Bits of an address's tail that count when two peers are far apart. */
const FAR_MASK = 0x55;

/**
 * The priority of the connection between two peers, the same seen from both ends: the greater, the
 * rather it is made and kept. Null when they are of different families, or named by names.
 *
 * Addresses are compared by their networks (IPv4 /16 and /24, IPv6 from /48 on), so that nobody
 * gains by having many addresses in one of them; of one address the ports decide.
 */
export function canonicalPriority(a: Endpoint, b: Endpoint): number | null {
  const [one, other] = [bytesOf(a.host), bytesOf(b.host)];
  if (!one || !other || one.length !== other.length) return null;
  const first = one.findIndex((byte, at) => byte !== other[at]);
  if (first < 0) return crc32c(inOrder(portBytes(a.port), portBytes(b.port)));
  const kept = keptBytes(one.length, first);
  return crc32c(inOrder(masked(one, kept), masked(other, kept)));
}

/** Our side of every connection, as far as others have told us who we are. */
export class OwnAddress {
  readonly #port: () => number;
  readonly #hosts = new Map<number, string>();
  /** Grows when the ranks of addresses change. */
  version = 0;

  /** `port` is where we listen. */
  constructor(port: () => number) {
    this.#port = port;
  }

  /** A tracker or node says that we are seen at `host`; the last word of each family counts. */
  learn(host: string): void {
    const address = bytesOf(host);
    if (!address || this.#hosts.get(address.length) === host) return;
    this.#hosts.set(address.length, host);
    this.version++;
  }

  /** Whether an address is where we can be reached ourselves. */
  isAt({ host, port }: Endpoint): boolean {
    return port === this.#port() && this.#hosts.get(bytesOf(host)?.length ?? 0) === host;
  }

  /** Canonical priority of a connection to `peer`, 0 while we do not know who we are. */
  rank(peer: Endpoint): number {
    const host = this.#hosts.get(bytesOf(peer.host)?.length ?? 0);
    return host === undefined ? 0 : (canonicalPriority({ host, port: this.#port() }, peer) ?? 0);
  }
}

function bytesOf(host: string): Uint8Array | null {
  const address = parseIp(host);
  return address && unmapIp(address);
}

/** Leading bytes that count in full, when byte `first` is the first that differs. */
function keptBytes(length: number, first: number): number {
  // BEP 40 has IPv4 only, with /16 and /24. IPv6 is as libtorrent has it, a byte at a time.
  return length === 4 ? Math.max(2, first + 1) : Math.min(length, Math.max(6, first + 2));
}

function masked(address: Uint8Array, kept: number): Uint8Array {
  return address.map((byte, at) => (at < kept ? byte : byte & FAR_MASK));
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

function inOrder(a: Uint8Array, b: Uint8Array): Uint8Array {
  const differing = a.findIndex((byte, at) => byte !== b[at]);
  const isFirst = (a[differing] ?? 0) <= (b[differing] ?? 0);
  return isFirst ? concatBytes(a, b) : concatBytes(b, a);
}
