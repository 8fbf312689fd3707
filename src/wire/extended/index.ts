/**
 * Payloads of BEP 10 extension messages that are no bencode of a torrent: peer exchange (BEP 11).
 *
 * Knows no peers and no policy; `pex.ts` bounds what one message may hold.
 *
 * @module
 */
export {
  decodePex,
  encodePex,
  PEX_ADDED_MAX,
  PEX_EXTENSION,
  PEX_FLAG,
  type PexMessage,
  type PexPeer,
} from './pex.ts';
