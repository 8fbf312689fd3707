/**
 * The DHT with real sockets: `DhtService` runs one node for all torrents of a process.
 *
 * What is asked and answered is decided in `discovery/dht`; here is only I/O and the file.
 *
 * @module
 */
export { ed25519PublicKey, sha1, signEd25519, verifyEd25519 } from './dht-crypto.ts';
export { loadDhtFile } from './dht-file.ts';
export { DHT_ROUTERS, type DhtRouter } from './dht-routers.ts';
export {
  DhtService,
  type DhtServiceOptions,
  type DhtTorrent,
  type FoundPeers,
} from './dht-service.ts';
