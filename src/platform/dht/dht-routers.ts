/** The well-known nodes by which a node that knows nobody joins the DHT. */
import { lookup } from 'node:dns/promises';
import { type Endpoint, formatIp, parseIp, unmapIp } from '../../wire/index.ts';

/** A node to begin with, by name or address. */
export interface DhtRouter {
  readonly host: string;
  readonly port: number;
}

/** Run by BitTorrent Inc., Transmission and libtorrent for everybody. */
export const DHT_ROUTERS: readonly DhtRouter[] = [
  { host: 'router.bittorrent.com', port: 6881 },
  { host: 'dht.transmissionbt.com', port: 6881 },
  { host: 'router.utorrent.com', port: 6881 },
  { host: 'dht.libtorrent.org', port: 25401 },
];

/** Addresses used of one name. */
const ADDRESSES_MAX = 4;

/** The addresses of these routers; names that cannot be resolved are left out. */
export async function resolveRouters(routers: readonly DhtRouter[]): Promise<readonly Endpoint[]> {
  const found = await Promise.all(routers.map(resolveRouter));
  return found.flat();
}

async function resolveRouter({ host, port }: DhtRouter): Promise<readonly Endpoint[]> {
  if (parseIp(host)) return [{ host, port }];
  const addresses = await lookup(host, { all: true, verbatim: true }).catch(() => []);
  return addresses.slice(0, ADDRESSES_MAX).flatMap(({ address }) => {
    const parsed = parseIp(address);
    return parsed ? [{ host: formatIp(unmapIp(parsed)), port }] : [];
  });
}
