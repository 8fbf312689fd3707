/**
 * Payloads of BEP 10 extension messages that are no bencode of a torrent: peer exchange (BEP 11),
 * lost pieces (BEP 54), rendezvous (BEP 55).
 *
 * Knows no peers and no policy; `pex.ts` bounds what one message may hold.
 *
 * @module
 */
export { DONT_HAVE_EXTENSION, decodeDontHave, encodeDontHave } from './dont-have.ts';
export {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  HOLEPUNCH_EXTENSION,
  type HolepunchKind,
  type HolepunchMessage,
} from './holepunch.ts';
export {
  decodePex,
  encodePex,
  PEX_ADDED_MAX,
  PEX_EXTENSION,
  PEX_FLAG,
  type PexMessage,
  type PexPeer,
} from './pex.ts';
