/**
 * Local service discovery (BEP 14): neighbours announce their torrents to each other by multicast.
 * Start with `local-discovery.ts`; `lsd-message.ts` is the datagram. Sockets are `platform/lsd`'s.
 *
 * @module
 */
export { LocalDiscovery, type LocalPeer } from './local-discovery.ts';
export {
  decodeLsd,
  encodeLsd,
  LSD_GROUP_V4,
  LSD_GROUP_V6,
  LSD_PORT,
  LSD_TORRENTS_MAX,
  type LsdAnnounce,
} from './lsd-message.ts';
