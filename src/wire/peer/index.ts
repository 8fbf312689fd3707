/** Peer wire protocol: handshake, framing, encoders (BEP 3, 4, 6, 10, 20, 52). */

export { PeerFramer, type PeerMessageSink } from './framer.ts';
export {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_BYTES,
  type Handshake,
  type HandshakeFlags,
  looksLikeHandshake,
} from './handshake.ts';
export {
  decodeHashes,
  encodeHashes,
  encodeHashRef,
  HASHES_MAX,
  type HashAnswer,
  type HashRef,
} from './hash-messages.ts';
export {
  type BlockRef,
  EXTENDED_BYTES_MAX,
  encodeBare,
  encodeBitfield,
  encodeBlockRef,
  encodeExtended,
  encodeIndex,
  encodePort,
  MESSAGE,
  PIECE_HEADER_BYTES,
  putBlockRef,
  putPieceHeader,
  REQUEST_BYTES,
} from './messages.ts';
export { clientName, makePeerId } from './peer-id.ts';
