/** The well-known nodes by which a node that knows nobody joins the DHT. */
import { type Endpoint, parseIp } from '../../wire/index.ts';
import { makeResolver } from '../egress/index.ts';

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

/**
 * Looks routers up. It asks the name servers itself: the system's way would occupy a thread of the
 * pool that reads and writes files, and could not be cancelled.
 */
export class RouterLookup {
  readonly #resolver: ReturnType<typeof makeResolver>;

  /** Asks from `bindHost` when that is not null. */
  constructor(bindHost: string | null) {
    this.#resolver = makeResolver(bindHost);
  }

  /** The addresses of these routers; names that cannot be resolved are left out. */
  async resolve(routers: readonly DhtRouter[]): Promise<readonly Endpoint[]> {
    const found = await Promise.all(routers.map((router) => this.#resolveOne(router)));
    return found.flat();
  }

  /** Ends what is under way: it resolves with what there is. */
  cancel(): void {
    this.#resolver.cancel();
  }

  async #resolveOne({ host, port }: DhtRouter): Promise<readonly Endpoint[]> {
    if (parseIp(host)) return [{ host, port }];
    const [v4, v6] = await Promise.all([
      this.#resolver.resolve4(host).catch(() => []),
      this.#resolver.resolve6(host).catch(() => []),
    ]);
    const addresses = [...v4.slice(0, ADDRESSES_MAX), ...v6.slice(0, ADDRESSES_MAX)];
    return addresses
      .filter((address) => parseIp(address))
      .map((address) => ({ host: address, port }));
  }
}
