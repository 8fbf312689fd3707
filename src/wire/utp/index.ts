/** uTP packets (BEP 29). */
export {
  decodeUtp,
  encodeUtp,
  looksLikeUtp,
  putUtpHeader,
  UTP_HEADER_BYTES,
  type UtpHeader,
  type UtpPacket,
  type UtpType,
} from './packet.ts';
export { sequenceAdd, sequenceDistance } from './sequence.ts';
