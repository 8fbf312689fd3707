/** What an item says, as plain values for people and programs. */
import { sha1 } from '../../platform/dht/index.ts';
import { toHex } from '../../units/index.ts';
import {
  type BencodeValue,
  type DhtItem,
  decodeBencode,
  decodeUtf8,
  encodeUtf8,
  formatMutableMagnet,
  ITEM_VALUE_BYTES_MAX,
  immutableTarget,
  isBencodeList,
  mutableTarget,
  readTorrentPointer,
  WireError,
} from '../../wire/index.ts';

/** A bencoded value: byte strings that are no text are hexadecimal behind `0x`. */
export type PlainValue =
  | number
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

/** An item. Bytes are lower-case hex; what only mutable items have is null of others. */
export interface ItemDescription {
  readonly kind: DhtItem['kind'];
  readonly target: string;
  readonly publicKey: string | null;
  readonly salt: string | null;
  /** Decimal. */
  readonly sequence: string | null;
  /** Null when it is not bencoded. */
  readonly value: PlainValue | null;
  readonly bencoded: string;
  /** Of the torrent it names (BEP 46), else null. */
  readonly infoHash: string | null;
  /** By which others follow that torrent; of a mutable item alone. */
  readonly link: string | null;
}

/** Describes an item that was found or put. */
export function describeItem(item: DhtItem): ItemDescription {
  const { value } = item;
  const pointer = readTorrentPointer(value);
  const said = {
    value: plainValue(value),
    bencoded: toHex(value),
    infoHash: pointer && toHex(pointer),
  };
  if (item.kind === 'immutable') {
    const target = toHex(immutableTarget(value, sha1));
    const none = { publicKey: null, salt: null, sequence: null, link: null };
    return { kind: 'immutable', target, ...none, ...said };
  }
  return {
    kind: 'mutable',
    target: toHex(mutableTarget(item.publicKey, item.salt, sha1)),
    publicKey: toHex(item.publicKey),
    salt: toHex(item.salt),
    sequence: `${item.sequence}`,
    ...said,
    link: pointer && formatMutableMagnet(item),
  };
}

function plainValue(value: Uint8Array): PlainValue | null {
  try {
    return plain(decodeBencode(value, { lengthBytesMax: ITEM_VALUE_BYTES_MAX }));
  } catch (failure) {
    if (failure instanceof WireError) return null;
    throw failure;
  }
}

function plain(value: BencodeValue): PlainValue {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Uint8Array) return plainText(value);
  if (isBencodeList(value)) return value.map(plain);
  return Object.fromEntries([...value.entries()].map(([key, one]) => [key, plain(one)]));
}

function plainText(view: Uint8Array): string {
  const text = decodeUtf8(view);
  const isText = encodeUtf8(text).length === view.length && !text.includes('\ufffd');
  return isText ? text : `0x${toHex(view)}`;
}
