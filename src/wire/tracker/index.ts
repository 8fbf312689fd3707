/**
 * The bytes trackers and their clients exchange: HTTP queries and replies (BEP 3, 7, 23, 24, 31,
 * 48), UDP datagrams (BEP 15, 41), tracker URLs, compact endpoints.
 *
 * Knows no sockets, no times and no policy. Start with `announce.ts`, what is said; the others
 * are how it is written.
 *
 * @module
 */
export {
  type AnnounceEvent,
  type AnnounceReply,
  type AnnounceRequest,
  REPLY_PEERS_MAX,
  type ScrapeCounts,
  TRACKER_REPLY_BYTES_MAX,
  type TrackerRefusal,
  type TrackerReply,
} from './announce.ts';
export {
  compactStride,
  decodeCompact,
  type Endpoint,
  encodeCompact,
  type Family,
  formatIp,
  parseIp,
  unmapIp,
} from './endpoint.ts';
export {
  encodeAnnounceReply,
  encodeRefusal,
  encodeScrapeReply,
  type HttpAnnounceAnswer,
  type HttpPeer,
  parseAnnounceReply,
  parseScrapeReply,
} from './http-reply.ts';
export {
  announceUrl,
  type HttpAnnounce,
  parseAnnounceQuery,
  parseScrapeQuery,
  scrapeUrl,
} from './http-request.ts';
export {
  formatTrackerUrl,
  parseTrackerUrl,
  scrapeUrlOf,
  type TrackerScheme,
  type TrackerUrl,
  trackerOrigin,
} from './tracker-url.ts';
export { decodeUdpReply, encodeUdpReply, type UdpReply } from './udp-reply.ts';
export {
  decodeUdpRequest,
  encodeUdpRequest,
  type UdpRequest,
} from './udp-request.ts';
