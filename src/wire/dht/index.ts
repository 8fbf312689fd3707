/**
 * The bytes DHT nodes exchange: KRPC messages (BEP 5, 32, 33, 43, 51), node ids (BEP 42), items
 * (BEP 44) and torrents updated through them (BEP 46).
 *
 * Knows no sockets, no times and no policy. Start with `messages.ts`, what is said.
 *
 * @module
 */
export {
  addToBloomFilter,
  BLOOM_FILTER_BYTES,
  estimateBloomFilter,
  uniteBloomFilters,
} from './bloom-filter.ts';
export { decodeNodes, encodeNodes } from './compact-nodes.ts';
export {
  type DhtItem,
  encodeTorrentPointer,
  formatMutableMagnet,
  ITEM_SALT_BYTES_MAX,
  ITEM_SEQUENCE_MAX,
  ITEM_VALUE_BYTES_MAX,
  immutableTarget,
  type MutableMagnet,
  mutableTarget,
  parseMutableMagnet,
  pointMutableMagnet,
  readTorrentPointer,
  type Sha1,
  type SignedPart,
  signedBytes,
} from './items.ts';
export { decodeKrpc, KRPC_PACKET_BYTES_MAX } from './krpc-decode.ts';
export { encodeKrpc } from './krpc-encode.ts';
export {
  type DhtQuery,
  type DhtReply,
  EMPTY_REPLY,
  type InfoHashSamples,
  KRPC_ERROR,
  type KrpcMessage,
  type NodeContact,
  type ReplyItem,
  type Want,
} from './messages.ts';
export {
  compareDistance,
  NODE_ID_BYTES,
  nodeIdAtDistance,
  randomNodeId,
  sharedPrefixBits,
} from './node-id.ts';
export { crc32c, isSecureNodeId, secureNodeId } from './secure-id.ts';
