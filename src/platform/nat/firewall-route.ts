/**
 * The way out over IPv6: there is nothing to translate, but the router's firewall lets nobody in.
 * Systems other than Linux do not say who their router is, nor which addresses are being given up.
 */
import { readFile } from 'node:fs/promises';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { classifyAddress } from '../../discovery/index.ts';
import { fromHex } from '../../units/index.ts';
import { formatIp, parseIp } from '../../wire/index.ts';
import type { Route } from './gateway.ts';
import { type DefaultRoute, isLinkLocal, ROUTE_UP } from './route.ts';

const ROUTES_FILE = '/proc/net/ipv6_route';
const ADDRESSES_FILE = '/proc/net/if_inet6';
/** Of a route: packets are refused (`unreachable`). From linux/ipv6_route.h and net/route.h. */
const ROUTE_REJECT = 0x200;
/** Of an address: in use by another, on its way out, or not yet ours. From linux/if_addr.h. */
const ADDRESS_UNFIT = 0x08 | 0x20 | 0x40;
/** As the router of a route: there is none. */
const NOBODY = '::';
/** As the address that a node listens on: all of this machine's. */
const EVERYWHERE = '::';
/** More addresses than so are not opened: usual are a lasting and a temporary one. */
const ADDRESSES_MAX = 4;

/** The interface that leads out, and its addresses that the internet knows. */
interface WayOut {
  readonly device: string;
  readonly gatewayHost: string | null;
  readonly own: readonly NetworkInterfaceInfo[];
}

/**
 * Addresses of ours that peers may dial, for a node that listens on `bindHost` (null for all): the
 * global ones, at most 4, of the interface with the default route, temporary ones (RFC 8981) too,
 * since those are what trackers and peers see; none that are being given up (deprecated). Empty
 * where no router of our own network leads out.
 */
export async function findOpenHosts(bindHost: string | null): Promise<readonly string[]> {
  const way = await findWayOut(bindHost);
  return way ? way.own.map(({ address }) => address).slice(0, ADDRESSES_MAX) : [];
}

/** The way out from our address `host`; null when it is no longer ours. */
export async function findFirewallRoute(host: string): Promise<Route | null> {
  const way = await findWayOut(host);
  const [own] = way?.own ?? [];
  if (!way || !own) return null;
  const { device, gatewayHost } = way;
  // Windows counts its interfaces where others name them.
  const zone = process.platform === 'win32' ? `${zoneNumber(device)}` : device;
  return { localHost: own.address, netmask: own.netmask, gatewayHost, zone };
}

/** Reads the kernel's table, the preferred route first. Exported for its test. */
export function readDefaultRoutes6(table: string): readonly DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of table.split('\n')) {
    const [to, length, , , next = '', metric = '', , , flags = '', device] = line
      .trim()
      .split(/\s+/);
    if (!device || length !== '00' || !/^0{32}$/.test(to ?? '')) continue;
    const bits = Number.parseInt(flags, 16);
    if ((bits & ROUTE_UP) === 0 || (bits & ROUTE_REJECT) !== 0) continue;
    const host = addressOf(next);
    const gatewayHost = isLinkLocal(host) ? `${host}%${device}` : host;
    routes.push({ device, gatewayHost, metric: Number.parseInt(metric, 16) });
  }
  return routes.sort((a, b) => a.metric - b.metric);
}

/** Reads the kernel's list: addresses that nobody should be sent to. Exported for its test. */
export function readUnfitHosts(list: string): readonly string[] {
  return list.split('\n').flatMap((line) => {
    const [address = '', , , , flags = ''] = line.trim().split(/\s+/);
    return (Number.parseInt(flags, 16) & ADDRESS_UNFIT) === 0 ? [] : [addressOf(address)];
  });
}

async function findWayOut(bindHost: string | null): Promise<WayOut | null> {
  const isLinux = process.platform === 'linux';
  const unfit = isLinux ? readUnfitHosts(await readSystem(ADDRESSES_FILE)) : [];
  const all = Object.entries(networkInterfaces());
  const literal = parseIp(bindHost ?? EVERYWHERE);
  const wanted = literal && formatIp(literal);
  const isWanted = ({ address, internal }: NetworkInterfaceInfo): boolean =>
    !internal &&
    (wanted === EVERYWHERE || wanted === address) &&
    classifyAddress(address) === 'public' &&
    !unfit.includes(address);
  const ways = isLinux
    ? readDefaultRoutes6(await readSystem(ROUTES_FILE))
    : all.map(([device]) => ({ device, gatewayHost: null }));
  for (const { device, gatewayHost } of ways) {
    const addresses = all.find(([name]) => name === device)?.[1] ?? [];
    const own = addresses.filter((one) => one.family === 'IPv6' && isWanted(one));
    // Of a tunnel nobody is known who could let others in; and it is the way that is taken.
    if (own.length > 0) return gatewayHost === NOBODY ? null : { device, gatewayHost, own };
  }
  return null;
}

function readSystem(file: string): Promise<string> {
  return readFile(file, 'latin1').catch(() => '');
}

/** As the kernel writes addresses: 32 hexadecimal digits. */
function addressOf(digits: string): string {
  return /^[0-9a-f]{32}$/.test(digits) ? formatIp(fromHex(digits)) : NOBODY;
}

function zoneNumber(device: string): number {
  const addresses = networkInterfaces()[device] ?? [];
  return addresses.find((one) => one.family === 'IPv6' && one.scopeid > 0)?.scopeid ?? 0;
}
