/** The way out of our network over IPv4, and whether there is a translating router at all. */
import { readFile } from 'node:fs/promises';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { classifyAddress } from '../../discovery/index.ts';
import { parseIp } from '../../wire/index.ts';
import type { Route } from './gateway.ts';

const ROUTES_FILE = '/proc/net/route';
/** Flag of a route that is in use, in the kernel's tables. */
export const ROUTE_UP = 0x1;
/** Addresses that stand for all of this machine's. */
const EVERYWHERE: readonly (string | null)[] = [null, '0.0.0.0', '::'];

/** A default route of the kernel's table. */
export interface DefaultRoute {
  readonly device: string;
  /** `0.0.0.0` or `::` where no router is behind it, as in a tunnel. */
  readonly gatewayHost: string;
  readonly metric: number;
}

/**
 * The way out, for a node that listens on `bindHost` (null for everywhere); null where no port can
 * be mapped: on loopback, on an address of the internet's own, or without a router. Systems other
 * than Linux do not say who their router is; there the first private address is taken.
 */
export async function findRoute(bindHost: string | null): Promise<Route | null> {
  const isWanted = ({ address }: NetworkInterfaceInfo): boolean =>
    EVERYWHERE.includes(bindHost) || address === bindHost;
  const interfaces = Object.entries(networkInterfaces()).map(([device, addresses = []]) => ({
    device,
    own: addresses.find((one) => one.family === 'IPv4' && !one.internal && isWanted(one)),
  }));
  const ways =
    process.platform === 'linux'
      ? await defaultRoutes()
      : interfaces.map(({ device }) => ({ device, gatewayHost: null }));
  for (const { device, gatewayHost } of ways) {
    const own = interfaces.find((one) => one.device === device)?.own;
    if (own && gatewayHost !== '0.0.0.0' && classifyAddress(own.address) === 'local') {
      return { localHost: own.address, netmask: own.netmask, gatewayHost };
    }
    // The preferred way is the one that connections take: no other is asked to forward them.
    if (own && gatewayHost !== null) return null;
  }
  return null;
}

/** Whether `host` is in the network that we are in: no router stands between it and us. */
export function isOnLink(host: string, route: Route): boolean {
  const [address = '', zone] = host.split('%', 2);
  if (isLinkLocal(address)) return zone !== undefined && zone === route.zone;
  const [far, near, mask] = [address, route.localHost, route.netmask].map(parseIp);
  if (!far || !near || !mask || far.length !== near.length) return false;
  return mask.every((bits, at) => ((far[at] ?? 0) & bits) === ((near[at] ?? 0) & bits));
}

/** Whether an address (IPv6, without a zone) is one that only its own link knows: fe80::/10. */
export function isLinkLocal(host: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(host);
}

/** Reads the kernel's table, the preferred route first. Exported for its test. */
export function readDefaultRoutes(table: string): readonly DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [device, to, gateway = '', flags = '', , , metric = '0', mask] = line.split(/\s+/);
    if (!device || to !== '00000000' || mask !== '00000000') continue;
    if ((Number.parseInt(flags, 16) & ROUTE_UP) === 0) continue;
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    // The kernel prints the number as the machine has it: all that we run on are little-endian.
    routes.push({ device, gatewayHost: bytes.reverse().join('.'), metric: Number(metric) });
  }
  return routes.sort((a, b) => a.metric - b.metric);
}

async function defaultRoutes(): Promise<readonly DefaultRoute[]> {
  return readDefaultRoutes(await readFile(ROUTES_FILE, 'latin1').catch(() => ''));
}
