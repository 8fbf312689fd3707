/** Finds routers that speak UPnP: who answers on our own link, and where it describes itself. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { AppError } from '../../units/index.ts';
import {
  decodeSsdpReply,
  encodeSsdpSearch,
  SSDP_GROUP,
  SSDP_GROUP_6,
  SSDP_PORT,
} from '../../wire/index.ts';
import type { Route } from './gateway.ts';
import { gatewayUrl } from './gateway-http.ts';
import { isOnLink } from './route.ts';

/** Whom to ask. */
export interface SsdpSearch {
  readonly route: Route;
  readonly signal: AbortSignal;
  /** Another than the multicast group only in tests. */
  readonly group?: { readonly host: string; readonly port: number };
}

/** Version 2 answers when asked for 1, but not every version 1 when asked for its services. */
const TARGET = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
const IS_ROUTER = /^urn:schemas-upnp-org:device:InternetGatewayDevice:[12]$/;
/** Devices answer within 2 s; the question is said again, since datagrams get lost. */
const AGAIN_MS = 700;
const SEARCH_MS = 2_700;
/** Once somebody has answered, the others have so long. */
const OTHERS_MS = 300;
/** Routers remembered, and datagrams read: a network with more is up to no good. */
const FOUND_MAX = 4;
const DATAGRAMS_MAX = 200;

/**
 * Addresses of descriptions, at most 4, that of our default router first. Only answers from our own
 * link count, and only with a location on the host that answered.
 */
export function searchGateways(search: SsdpSearch): Promise<readonly URL[]> {
  const { route, signal } = search;
  const isSix = isIPv6(route.localHost);
  const groupHost = isSix ? SSDP_GROUP_6 : SSDP_GROUP;
  const zone = isSix ? `%${route.zone}` : '';
  const { group = { host: `${groupHost}${zone}`, port: SSDP_PORT } } = search;
  const question = encodeSsdpSearch(TARGET, groupHost);
  if (signal.aborted) return Promise.resolve([]);
  return new Promise((resolve) => {
    const found = new Map<string, URL>();
    const socket = createSocket(isSix ? 'udp6' : 'udp4');
    const timers: NodeJS.Timeout[] = [];
    let datagrams = 0;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', end);
      socket.close();
      const isOther = (url: URL): number => (url.hostname === route.gatewayHost ? 0 : 1);
      resolve([...found.values()].sort((a, b) => isOther(a) - isOther(b)));
    };
    const send = (): void => {
      socket.send(question, group.port, group.host, () => {});
    };
    signal.addEventListener('abort', end);
    socket.on('error', end);
    socket.on('message', (datagram, { address }) => {
      if (isOver || datagrams++ >= DATAGRAMS_MAX || found.size >= FOUND_MAX) return;
      const url = isOnLink(address, route) ? locationIn(datagram, address) : null;
      if (!url) return;
      if (found.size === 0) timers.push(setTimeout(end, OTHERS_MS));
      found.set(url.href, url);
    });
    socket.bind({ address: route.localHost, port: 0 }, () => {
      if (isOver) return;
      send();
      timers.push(setTimeout(send, AGAIN_MS), setTimeout(end, SEARCH_MS));
    });
  });
}

/** Where the router at `host` describes itself; null when this is no answer of a router. */
function locationIn(datagram: Uint8Array, host: string): URL | null {
  try {
    const { target, location } = decodeSsdpReply(datagram);
    return IS_ROUTER.test(target) ? gatewayUrl(location, null, host) : null;
  } catch (failure) {
    if (failure instanceof AppError) return null;
    throw failure;
  }
}
