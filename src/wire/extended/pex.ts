/** What peers tell each other of the peers they are connected to (BEP 11). */
import { decodeBencodeDict } from '../bencode/decode.ts';
import { encodeBencode } from '../bencode/encode.ts';
import type { BencodeDict } from '../bencode/value.ts';
import { compactStride, decodeCompact, type Endpoint, encodeCompact } from '../tracker/endpoint.ts';
import { WireError } from '../wire-error.ts';

/** Its name in the extension handshake. */
export const PEX_EXTENSION = 'ut_pex';

/** Contacts added, and dropped, that one message of ours names at most (BEP 11). */
export const PEX_ADDED_MAX = 50;

/** Contacts of each kind and family that are read of a message; a first one may be long. */
const CONTACTS_READ_MAX = 200;

/** Longer messages are read by nobody: four lists of 200 take 10 KB. */
const PEX_BYTES_MAX = 32 * 1024;

/** Bits that say what is known of a contact. */
export const PEX_FLAG = {
  prefersEncryption: 0x01,
  /** It has everything, or wants no more (BEP 21). */
  seed: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** Whoever tells of it has connected to it: it can be reached. */
  reachable: 0x10,
} as const;

/** A contact and the bits of `PEX_FLAG` that are true of it. */
export interface PexPeer extends Endpoint {
  readonly flags: number;
}

/** One message: whom the sender has connected to since the last one, and whom it has lost. */
export interface PexMessage {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly Endpoint[];
}

/** Writes a message; hosts are literal addresses. Never empty: BEP 11 wants one field at least. */
export function encodePex({ added, dropped }: PexMessage): Uint8Array {
  const [added4, added6] = byFamily(added);
  const [dropped4, dropped6] = byFamily(dropped);
  const flagsOf = (peers: readonly PexPeer[]): Uint8Array =>
    Uint8Array.from(peers, ({ flags }) => flags);
  return encodeBencode({
    added: encodeCompact(added4, 4),
    'added.f': flagsOf(added4),
    ...(added6.length > 0 ? { added6: encodeCompact(added6, 6), 'added6.f': flagsOf(added6) } : {}),
    dropped: encodeCompact(dropped4, 4),
    ...(dropped6.length > 0 ? { dropped6: encodeCompact(dropped6, 6) } : {}),
  });
}

/**
 * Reads a message: of each list the first 200 contacts, without ports 0; flags that are missing
 * are 0.
 *
 * @throws WireError WIRE_EXTENSION, WIRE_BENCODE, WIRE_LENGTH_EXCEEDED
 */
export function decodePex(payload: Uint8Array): PexMessage {
  const limits = { lengthBytesMax: PEX_BYTES_MAX, depthMax: 4, tokensMax: 200 };
  const message = decodeBencodeDict(payload, limits);
  const added4 = withFlags(message, 'added', 4);
  const added6 = withFlags(message, 'added6', 6);
  const dropped4 = decodeCompact(contacts(message, 'dropped', 4), 4);
  const dropped6 = decodeCompact(contacts(message, 'dropped6', 6), 6);
  return { added: [...added4, ...added6], dropped: [...dropped4, ...dropped6] };
}

/** A list cut to what is read; one that is not whole contacts ends the connection. */
function contacts(message: BencodeDict, key: string, family: 4 | 6): Uint8Array {
  const list = message.bytes(key) ?? new Uint8Array(0);
  const stride = compactStride(family);
  if (list.length % stride !== 0) {
    throw new WireError('WIRE_EXTENSION', `a list of ${list.length} bytes is no list of contacts`);
  }
  return list.subarray(0, CONTACTS_READ_MAX * stride);
}

function withFlags(message: BencodeDict, key: string, family: 4 | 6): PexPeer[] {
  const list = contacts(message, key, family);
  const flags = message.bytes(`${key}.f`);
  const stride = compactStride(family);
  const peers: PexPeer[] = [];
  for (let nth = 0; nth * stride < list.length; nth++) {
    // One at a time: a contact that is left out must not shift the flags of those after it.
    const [endpoint] = decodeCompact(list.subarray(nth * stride, (nth + 1) * stride), family);
    if (endpoint) peers.push({ ...endpoint, flags: flags?.[nth] ?? 0 });
  }
  return peers;
}

function byFamily<T extends Endpoint>(peers: readonly T[]): [T[], T[]] {
  const isV6 = ({ host }: Endpoint): boolean => host.includes(':');
  return [peers.filter((peer) => !isV6(peer)), peers.filter(isV6)];
}
