/**
 * The distributed hash table (BEP 5, 32, 33, 42, 43, 44, 46, 51): finding peers without a tracker.
 *
 * Pure state machines: packets and the time in, packets out. Start with `dht.ts`, the node as a
 * whole; `dht-node.ts` is its half in one address family, `lookup.ts` how anything is found,
 * `traffic-limits.ts` why nobody can use us to flood others.
 *
 * @module
 */
export { Dht, type DhtOptions, type DhtStatus, type SavedDht } from './dht.ts';
export type { DhtPorts } from './dht-node.ts';
export type { ItemPut, ItemPutResult } from './item-search.ts';
export type { VerifySignature } from './item-store.ts';
export type { AnnounceTerms, PeerSearch, PeerSearchResult } from './peer-search.ts';
export { type DueTorrent, TorrentRounds } from './torrent-rounds.ts';
export { DHT_LIMITS, type DhtLimits } from './traffic-limits.ts';
