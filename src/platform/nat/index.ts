/**
 * Ports mapped at the home router, so that peers outside can call us: by PCP, NAT-PMP or UPnP; and
 * over IPv6, where nothing is translated, holes in its firewall.
 *
 * Whatever calls itself a router is a stranger in our network: it is asked nothing but to map our
 * own ports, and nothing that it answers leads to another host. Start with `port-mapper.ts`, for
 * IPv6 with `pinholes.ts`.
 *
 * @module
 */
export type { GatewayMethod, MappedPort, PortWish } from './gateway.ts';
export { type OpenPlace, type PinholeReach, Pinholes } from './pinholes.ts';
export { PortMapper, type PortMapperOptions, type Reach } from './port-mapper.ts';
