/**
 * The ways out of this machine: through a proxy or not, from which address, names asked of whom.
 *
 * `Egress` decides it for everything that connects; peers, trackers and web seeds are given one and
 * open nothing without it. What a proxy cannot carry is not sent. It must never know what is said
 * over a connection. Start with `egress.ts`; `tunnel.ts` is the way through a proxy,
 * `datagram-relay.ts` the one for datagrams, `web-agent.ts` the one for HTTP, which is imported by
 * itself: it loads an HTTP client.
 *
 * @module
 */
export { addressOfBind } from './bound-address.ts';
export type { DatagramRelay, RelayListener } from './datagram-relay.ts';
export { DIRECT, Egress, type EgressOptions } from './egress.ts';
export type { HostPort, TunnelEnd } from './greeting.ts';
export { makeResolver } from './name-lookup.ts';
export { describeProxy, type ProxyAddress, parseProxyUrl } from './proxy-address.ts';
export type { DatagramTaker } from './udp-association.ts';
