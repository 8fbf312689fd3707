/**
 * Who else is there: trackers and the DHT. Decides when to ask whom, and what to ask again.
 *
 * Pure state machines: they know no sockets and no clock, nothing of pieces and nothing of
 * money. Start with `tracker-client.ts`; `udp-exchange.ts` is one question over UDP, and
 * `tracker-guard.ts` says which addresses may be asked at all. `dht/` is the DHT.
 *
 * @module
 */
export { type AddressClass, classifyAddress } from './address-class.ts';
export * from './dht/index.ts';
export { IpFilter, type ParsedIpList, parseIpList } from './ip-filter.ts';
export * from './lsd/index.ts';
export {
  TrackerClient,
  type TrackerClientOptions,
  type TrackerEffect,
  type TrackerFailure,
  type TrackerStatus,
} from './tracker-client.ts';
export { refusalOfTracker, type TrackerTarget } from './tracker-guard.ts';
export { shownTracker } from './tracker-tiers.ts';
export {
  type UdpConnection,
  type UdpEffect,
  UdpExchange,
  type UdpExchangeOptions,
  type UdpQuestion,
} from './udp-exchange.ts';
export { refusalOfWebSeed, type WebSeedTarget } from './web-seed-guard.ts';
