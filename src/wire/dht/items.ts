/** Items in the DHT (BEP 44) and torrents that are updated through them (BEP 46). */
import { concatBytes, fromHex, toHex } from '../../units/index.ts';
import { decodeBencode } from '../bencode/decode.ts';
import { encodeBencode } from '../bencode/encode.ts';
import { encodeUtf8 } from '../bencode/utf8.ts';
import { BencodeDict } from '../bencode/value.ts';
import { MAGNET_CHARACTERS_MAX } from '../magnet/magnet.ts';
import { readParameters, valuesOf, withTopic } from '../magnet/parameters.ts';
import { WireError } from '../wire-error.ts';

/** SHA-1 of some bytes, 20 bytes; pure layers are given it. */
export type Sha1 = (view: Uint8Array) => Uint8Array;

/** An item as it travels. `value` is bencoded, verbatim: it is what is hashed and signed. */
export type DhtItem =
  | { readonly kind: 'immutable'; readonly value: Uint8Array }
  | {
      readonly kind: 'mutable';
      readonly value: Uint8Array;
      /** 32 bytes, ed25519. */
      readonly publicKey: Uint8Array;
      /** Empty for none. Not sent in replies to `get`. */
      readonly salt: Uint8Array;
      /** 0 to 2^63 - 1; the larger replaces the smaller. */
      readonly sequence: bigint;
      /** 64 bytes, ed25519 over `signedBytes`. */
      readonly signature: Uint8Array;
    };

/** What a mutable item's key signs, apart from the key. */
export interface SignedPart {
  readonly value: Uint8Array;
  readonly salt: Uint8Array;
  readonly sequence: bigint;
}

/** A mutable item that names a torrent, as a magnet link names it (BEP 46). */
export interface MutableMagnet {
  readonly publicKey: Uint8Array;
  readonly salt: Uint8Array;
}

/** Longest bencoded value a node keeps (BEP 44). */
export const ITEM_VALUE_BYTES_MAX = 1000;

/** Longest salt (BEP 44). */
export const ITEM_SALT_BYTES_MAX = 64;

/** Largest sequence number (BEP 44). */
export const ITEM_SEQUENCE_MAX: bigint = 2n ** 63n - 1n;

/**
 * The bytes that are signed: written out, not encoded from a dictionary, so that no bencode
 * library can be tricked into another meaning (BEP 44, "Signature Verification").
 */
export function signedBytes({ value, salt, sequence }: SignedPart): Uint8Array {
  const head = salt.length > 0 ? concatBytes(encodeUtf8(`4:salt${salt.length}:`), salt) : salt;
  return concatBytes(head, encodeUtf8(`3:seqi${sequence}e1:v`), value);
}

/** Where an immutable item is stored: the hash of its bencoded value. */
export function immutableTarget(value: Uint8Array, sha1: Sha1): Uint8Array {
  return sha1(value);
}

/** Where a mutable item is stored: the hash of its key and salt. */
export function mutableTarget(publicKey: Uint8Array, salt: Uint8Array, sha1: Sha1): Uint8Array {
  return sha1(concatBytes(publicKey, salt));
}

/** The value of a mutable item that names a torrent (BEP 46). */
export function encodeTorrentPointer(infoHash: Uint8Array): Uint8Array {
  return encodeBencode({ ih: infoHash });
}

/** The 20-byte info-hash an item's value names, or null when it names none. */
export function readTorrentPointer(value: Uint8Array): Uint8Array | null {
  try {
    const decoded = decodeBencode(value, { lengthBytesMax: ITEM_VALUE_BYTES_MAX });
    const hash = decoded instanceof BencodeDict ? decoded.bytes('ih') : null;
    return hash?.length === 20 ? hash.slice() : null;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/**
 * Reads `magnet:?xs=urn:btpk:KEY&s=SALT`, both hexadecimal; null when it is another link.
 *
 * @throws WireError WIRE_MAGNET when it is such a link, but not of a key or with such a salt
 */
export function parseMutableMagnet(text: string): MutableMagnet | null {
  if (text.length > MAGNET_CHARACTERS_MAX) return null;
  const parameters = readParameters(text) ?? [];
  const sources = valuesOf(parameters, 'xs').filter((source) => /^urn:btpk:/i.test(source));
  const key = sources[0]?.slice('urn:btpk:'.length);
  if (key === undefined) return null;
  if (!/^[0-9a-f]{64}$/i.test(key)) refuse('its key (xs=urn:btpk:…) has not 64 hexadecimal digits');
  const salt = valuesOf(parameters, 's')[0] ?? '';
  if (!/^(?:[0-9a-f]{2}){0,64}$/i.test(salt))
    refuse('its salt (s=…) is not hexadecimal, or too long');
  return { publicKey: fromHex(key), salt: fromHex(salt) };
}

/** The link of the torrent that such a link stands for now; what else it says stays. */
export function pointMutableMagnet(text: string, infoHash: Uint8Array): string {
  return withTopic(text, `urn:btih:${toHex(infoHash)}`);
}

/** The link of a mutable torrent (BEP 46). */
export function formatMutableMagnet({ publicKey, salt }: MutableMagnet): string {
  const suffix = salt.length > 0 ? `&s=${toHex(salt)}` : '';
  return `magnet:?xs=urn:btpk:${toHex(publicKey)}${suffix}`;
}

function refuse(problem: string): never {
  throw new WireError('WIRE_MAGNET', `not a usable magnet link: ${problem}`);
}
