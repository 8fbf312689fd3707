/**
 * The DHT with real sockets: `DhtService` runs one node for all torrents of a process.
 *
 * What is asked and answered is decided in `discovery/dht`; here is only I/O and the file.
 *
 * @module
 */
export { loadDhtFile } from './dht-file.ts';
export { DHT_ROUTERS, type DhtRouter } from './dht-routers.ts';
export { DhtService, type DhtServiceOptions, type DhtTorrent } from './dht-service.ts';
