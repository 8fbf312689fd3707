/** Bencode (BEP 3): see `value.ts` for what a decoded value is. */
export {
  BENCODE_DEPTH_MAX,
  BENCODE_LENGTH_BYTES_MAX,
  BENCODE_TOKENS_MAX,
  type BencodeLimits,
  type BencodePrefix,
  decodeBencode,
  decodeBencodeDict,
  decodeBencodePrefix,
} from './decode.ts';
export { type Bencodable, bencodeKey, encodeBencode, RawBencode } from './encode.ts';
export { decodeLatin1, decodeUtf8, encodeUtf8, utf8Length } from './utf8.ts';
export { BencodeDict, type BencodeValue, type DictSpan, isBencodeList } from './value.ts';
