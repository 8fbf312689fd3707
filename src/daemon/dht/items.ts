/** Items of the DHT (BEP 44) as people name them: looked up, signed, put. */
import { type DhtService, ed25519PublicKey, sha1, signEd25519 } from '../../platform/dht/index.ts';
import { equalBytes, fromHex } from '../../units/index.ts';
import {
  type DhtItem,
  encodeUtf8,
  ITEM_SALT_BYTES_MAX,
  ITEM_SEQUENCE_MAX,
  ITEM_VALUE_BYTES_MAX,
  immutableTarget,
  KRPC_ERROR,
  mutableTarget,
  parseMutableMagnet,
  signedBytes,
} from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';

/** What of a DHT node is used here. */
export type ItemDht = Pick<DhtService, 'getItem' | 'putItem'>;

/** A mutable item. */
export type MutableItem = Extract<DhtItem, { kind: 'mutable' }>;

/** Where an item is. */
export interface ItemName {
  /** 20 bytes. */
  readonly target: Uint8Array;
  /** Empty for none. */
  readonly salt: Uint8Array;
}

/** What is to be put. */
export interface ItemPlan {
  /** Bencoded. */
  readonly value: Uint8Array;
  /** Null puts an immutable item. */
  readonly signer: ItemSigner | null;
}

/** Who signs a mutable item, and as what. */
export interface ItemSigner {
  /** 32 bytes, ed25519. */
  readonly secret: Uint8Array;
  /** Empty for none. */
  readonly salt: Uint8Array;
  /** Null: a later one than any before. */
  readonly sequence: bigint | null;
}

/** An item that was stored. */
export interface PutItem {
  readonly item: DhtItem;
  readonly target: Uint8Array;
  /** Nodes that took it. */
  readonly storedCount: number;
}

/**
 * Reads a name: 40 hexadecimal digits of a target, 64 of a key, or a link to a key, which has its
 * own salt. Throws DAEMON_ITEM_INVALID, WIRE_MAGNET.
 */
export function readItemName(text: string, salt: Uint8Array): ItemName {
  const link = parseMutableMagnet(text);
  if (link) return { target: mutableTarget(link.publicKey, link.salt, sha1), salt: link.salt };
  if (/^[0-9a-f]{40}$/i.test(text)) return { target: fromHex(text), salt };
  if (/^[0-9a-f]{64}$/i.test(text)) {
    return { target: mutableTarget(fromHex(text), salt, sha1), salt };
  }
  const forms = '40 hexadecimal digits of a target, 64 of a key, or magnet:?xs=urn:btpk:…';
  throw invalid(`'${text}' names no item: give ${forms}`);
}

/** A salt from its text. Throws DAEMON_ITEM_INVALID when it is too long. */
export function readSalt(text: string): Uint8Array {
  const salt = encodeUtf8(text);
  if (salt.length <= ITEM_SALT_BYTES_MAX) return salt;
  throw invalid(`a salt has at most ${ITEM_SALT_BYTES_MAX} bytes, this one ${salt.length}`);
}

/** Signs where that is asked for, and stores. Throws DAEMON_ITEM_INVALID, DAEMON_ITEM_REFUSED. */
export async function putItem(dht: ItemDht, { value, signer }: ItemPlan): Promise<PutItem> {
  if (value.length > ITEM_VALUE_BYTES_MAX) {
    const limit = `${ITEM_VALUE_BYTES_MAX} bytes`;
    throw invalid(`an item has at most ${limit} bencoded, this one ${value.length}`);
  }
  const item = signer ? await signItem(dht, value, signer) : { kind: 'immutable' as const, value };
  const target =
    item.kind === 'immutable'
      ? immutableTarget(value, sha1)
      : mutableTarget(item.publicKey, item.salt, sha1);
  const { storedCount, errorCodes } = await dht.putItem(item);
  if (storedCount > 0) return { item, target, storedCount };
  const isOld = errorCodes.includes(KRPC_ERROR.sequenceTooLow);
  const why = isOld ? 'one with a later sequence number is there' : 'try again in a while';
  throw new DaemonError('DAEMON_ITEM_REFUSED', `no node of the DHT took the item: ${why}`);
}

async function signItem(
  dht: ItemDht,
  value: Uint8Array,
  { secret, salt, sequence: wanted }: ItemSigner,
): Promise<MutableItem> {
  const publicKey = ed25519PublicKey(secret);
  const sequence = wanted ?? (await nextSequence(dht, { publicKey, salt, value }));
  if (sequence > ITEM_SEQUENCE_MAX) throw invalid(`sequence numbers end at ${ITEM_SEQUENCE_MAX}`);
  const part = { value, salt, sequence };
  return { kind: 'mutable', publicKey, signature: signEd25519(signedBytes(part), secret), ...part };
}

/**
 * The number of what is there when that says the same; else a later one, and not before the seconds
 * since 1970: who finds nothing, or an old one, must not fall back behind what others have seen.
 */
async function nextSequence(
  dht: ItemDht,
  { publicKey, salt, value }: Pick<MutableItem, 'publicKey' | 'salt' | 'value'>,
): Promise<bigint> {
  const found = await dht.getItem(mutableTarget(publicKey, salt, sha1), salt);
  const last = found?.kind === 'mutable' ? found : null;
  if (last && equalBytes(last.value, value)) return last.sequence;
  const seconds = BigInt(Math.floor(Date.now() / 1000));
  return last && last.sequence >= seconds ? last.sequence + 1n : seconds;
}

function invalid(text: string): DaemonError {
  return new DaemonError('DAEMON_ITEM_INVALID', text);
}
