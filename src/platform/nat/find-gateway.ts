/**
 * Finds a router that maps ports, by PCP, NAT-PMP or UPnP, in this order; over IPv6 one that opens
 * its firewall, by PCP or UPnP.
 */
import { isIPv6 } from 'node:net';
import { AppError } from '../../units/index.ts';
import { NatPmpGateway, PcpGateway } from './datagram-gateway.ts';
import type { Gateway, MappedPort, PortWish, Route } from './gateway.ts';
import { searchGateways } from './ssdp-search.ts';
import { UpnpFirewall } from './upnp-firewall.ts';
import { UpnpGateway } from './upnp-gateway.ts';

/** A router, and the first port that it has mapped. */
export interface FoundGateway {
  readonly gateway: Gateway;
  readonly first: MappedPort;
}

/** What came of it. `refusals` are from routers that answered, each the end of a sentence. */
export type FindOutcome =
  | ({ readonly ok: true } & FoundGateway)
  | { readonly ok: false; readonly refusals: readonly string[] };

/** Ports other than the standards' and a group other than the real one: tests only. */
export interface FindOptions {
  readonly datagramPort?: number;
  readonly ssdpGroup?: { readonly host: string; readonly port: number };
}

/** Without an answer after so long, there is none. */
const FIND_MS = 15_000;

/** Maps `wish` by the first way that works; the search by UPnP begins beside the others. */
export async function findGateway(
  route: Route,
  wish: PortWish,
  { signal, datagramPort, ssdpGroup }: FindOptions & { readonly signal: AbortSignal },
): Promise<FindOutcome> {
  const { localHost, gatewayHost: host } = route;
  const isSix = isIPv6(localHost);
  const Upnp = isSix ? UpnpFirewall : UpnpGateway;
  const enough = new AbortController();
  const deadline = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(FIND_MS)]);
  const refusals: string[] = [];
  const group = ssdpGroup ? { group: ssdpGroup } : {};
  const locations = searchGateways({ route, signal: deadline, ...group });
  const attempt = async (open: () => Promise<Gateway>): Promise<FoundGateway | null> => {
    try {
      const gateway = await open();
      const options = { externalPort: wish.port, signal: deadline };
      const first = await gateway.map(wish, options);
      return first && first.externalPort > 0 ? { gateway, first } : null;
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      refusals.push(failure.message);
      return null;
    }
  };
  try {
    const place = { localHost, host: host ?? '', ...(datagramPort ? { port: datagramPort } : {}) };
    if (host !== null) {
      const pcp = new PcpGateway(place);
      let found = await attempt(async () => pcp);
      // NAT-PMP knows IPv4 alone.
      if (pcp.isOtherVersion && !isSix) found = await attempt(async () => new NatPmpGateway(place));
      if (found) return { ok: true, ...found };
    }
    for (const location of await locations) {
      const found = await attempt(() => Upnp.open(location, route, deadline));
      if (found) return { ok: true, ...found };
    }
    return { ok: false, refusals };
  } finally {
    enough.abort();
  }
}
