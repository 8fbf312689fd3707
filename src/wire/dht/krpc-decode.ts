/** KRPC messages from untrusted bytes. */
import { decodeBencodeDict, decodeBencodePrefix } from '../bencode/decode.ts';
import { decodeLatin1 } from '../bencode/utf8.ts';
import type { BencodeDict } from '../bencode/value.ts';
import { decodeCompact, type Endpoint, type Family } from '../tracker/endpoint.ts';
import { printableText } from '../tracker/text.ts';
import { WireError } from '../wire-error.ts';
import { BLOOM_FILTER_BYTES } from './bloom-filter.ts';
import { decodeNodes } from './compact-nodes.ts';
import { type DhtItem, ITEM_SEQUENCE_MAX } from './items.ts';
import type {
  DhtQuery,
  DhtReply,
  InfoHashSamples,
  KrpcMessage,
  ReplyItem,
  Want,
} from './messages.ts';
import { NODE_ID_BYTES } from './node-id.ts';

/** Longest packet read: more than BEP 32 lets anybody send, and an item of BEP 44 in full. */
export const KRPC_PACKET_BYTES_MAX = 2048;

/** A transaction id is echoed, so its length is bounded. Clients use 2 to 8 bytes. */
const TRANSACTION_BYTES_MAX = 32;

/** A token is sent back, so its length is bounded. Clients use 4 to 20 bytes. */
const TOKEN_BYTES_MAX = 128;

/** Nodes taken of one list: twice what a reply should have. */
const NODES_MAX = 16;

/** Peers taken of one reply: more than fit into a packet. */
const VALUES_MAX = 250;

/** Longest pause between samples (BEP 51). */
const SAMPLE_INTERVAL_SECONDS_MAX = 21_600;

/**
 * Reads one packet; the values are copies. A query whose arguments are wrong is still a query, with
 * method `invalid`, so that it can be answered with an error.
 *
 * @throws WireError WIRE_DHT, WIRE_BENCODE
 */
export function decodeKrpc(view: Uint8Array): KrpcMessage {
  const limits = { lengthBytesMax: KRPC_PACKET_BYTES_MAX, tokensMax: 2100 };
  const message = decodeBencodeDict(view, limits);
  const transactionId = message.bytes('t');
  if (!transactionId || transactionId.length > TRANSACTION_BYTES_MAX) malformed('transaction id');
  const type = message.bytes('y') ?? new Uint8Array();
  const head = { transactionId: transactionId.slice() };
  switch (decodeLatin1(type.subarray(0, 2))) {
    case 'q': {
      const args = message.dict('a') ?? malformed('query without arguments');
      const senderId = hashOf(args, 'id') ?? malformed('query without the id of its sender');
      const isReadOnly = message.integer('ro') === 1;
      return {
        ...head,
        kind: 'query',
        senderId,
        isReadOnly,
        query: readQuery(view, message, args),
      };
    }
    case 'r': {
      const fields = message.dict('r') ?? malformed('reply without fields');
      const senderId = hashOf(fields, 'id') ?? malformed('reply without the id of its sender');
      const reply = readReply(view, fields);
      return { ...head, kind: 'reply', senderId, reply, externalAddress: readExternal(message) };
    }
    case 'e': {
      const [code, text] = message.list('e') ?? malformed('error without a code');
      return {
        ...head,
        kind: 'error',
        code: typeof code === 'number' ? code : 0,
        text: text instanceof Uint8Array ? printableText(text) : '',
        externalAddress: readExternal(message),
      };
    }
    default:
      return malformed('it is neither query nor reply nor error');
  }
}

function readQuery(view: Uint8Array, message: BencodeDict, args: BencodeDict): DhtQuery {
  const method = decodeLatin1((message.bytes('q') ?? new Uint8Array()).subarray(0, 32));
  const want = readWant(args);
  const target = hashOf(args, 'target');
  switch (method) {
    case 'ping':
      return { method };
    case 'find_node':
    case 'sample_infohashes':
      return target ? { method, target, want } : invalid('no target');
    case 'get_peers': {
      const infoHash = hashOf(args, 'info_hash');
      if (!infoHash) return invalid('no info_hash');
      const isScrape = args.integer('scrape') === 1;
      return { method, infoHash, want, isScrape, noSeeds: args.integer('noseed') === 1 };
    }
    case 'announce_peer':
      return readAnnounce(args);
    case 'get':
      return target
        ? { method, target, want, sequence: sequenceOf(args, 'seq') }
        : invalid('no target');
    case 'put':
      return readPut(view, args);
    default:
      return { method: 'unknown', target: target ?? hashOf(args, 'info_hash') };
  }
}

function readAnnounce(args: BencodeDict): DhtQuery {
  const infoHash = hashOf(args, 'info_hash');
  const token = tokenOf(args);
  const isPortImplied = (args.integer('implied_port') ?? 0) !== 0;
  const port = args.integer('port') ?? 0;
  if (!infoHash) return invalid('no info_hash');
  if (!token) return invalid('no token');
  if (!isPortImplied && (port < 1 || port > 65535)) return invalid('port is not 1 to 65535');
  const isSeed = args.integer('seed') === 1;
  const usedPort = port >= 1 && port <= 65535 ? port : 0;
  return { method: 'announce_peer', infoHash, port: usedPort, isPortImplied, isSeed, token };
}

function readPut(view: Uint8Array, args: BencodeDict): DhtQuery {
  const token = tokenOf(args);
  const value = rawValue(view, args);
  if (!token) return invalid('no token');
  if (!value) return invalid('no value');
  const item = readPutItem(args, value);
  if (!item) return invalid('k, sig and seq do not belong together');
  const expectedSequence = sequenceOf(args, 'cas');
  return { method: 'put', token, item, expectedSequence };
}

function readPutItem(args: BencodeDict, value: Uint8Array): DhtItem | null {
  if (!args.has('k')) return { kind: 'immutable', value };
  const publicKey = args.bytes('k');
  const signature = args.bytes('sig');
  const sequence = sequenceOf(args, 'seq');
  if (publicKey?.length !== 32 || signature?.length !== 64 || sequence === null) return null;
  const salt = (args.bytes('salt') ?? new Uint8Array()).slice();
  const signed = { publicKey: publicKey.slice(), salt, sequence, signature: signature.slice() };
  return { kind: 'mutable', value, ...signed };
}

function readReply(view: Uint8Array, fields: BencodeDict): DhtReply {
  const filter = (key: string): Uint8Array | null => {
    const bits = fields.bytes(key);
    return bits?.length === BLOOM_FILTER_BYTES ? bits.slice() : null;
  };
  return {
    nodes: decodeNodes(fields.bytes('nodes') ?? new Uint8Array(), 4, NODES_MAX),
    nodes6: decodeNodes(fields.bytes('nodes6') ?? new Uint8Array(), 6, NODES_MAX),
    token: tokenOf(fields),
    peers: readValues(fields),
    seedFilter: filter('BFsd'),
    peerFilter: filter('BFpe'),
    item: readItem(view, fields),
    sequence: sequenceOf(fields, 'seq'),
    samples: readSamples(fields),
  };
}

function readValues(fields: BencodeDict): readonly Endpoint[] {
  const peers: Endpoint[] = [];
  for (const value of (fields.list('values') ?? []).slice(0, VALUES_MAX)) {
    if (!(value instanceof Uint8Array)) continue;
    if (value.length === 6 || value.length === 18)
      peers.push(...decodeCompact(value, familyOf(value)));
  }
  return peers;
}

function readItem(view: Uint8Array, fields: BencodeDict): ReplyItem | null {
  const value = rawValue(view, fields);
  if (!value) return null;
  if (!fields.has('k')) return { value, signed: null };
  const publicKey = fields.bytes('k');
  const signature = fields.bytes('sig');
  if (publicKey?.length !== 32 || signature?.length !== 64) return null;
  return { value, signed: { publicKey: publicKey.slice(), signature: signature.slice() } };
}

function readSamples(fields: BencodeDict): InfoHashSamples | null {
  const list = fields.bytes('samples');
  if (!list) return null;
  const infoHashes: Uint8Array[] = [];
  for (let at = 0; at + 20 <= list.length; at += 20) infoHashes.push(list.slice(at, at + 20));
  const totalCount = Math.max(fields.integer('num') ?? 0, infoHashes.length);
  const intervalSeconds = Math.max(0, fields.integer('interval') ?? 0);
  const bounded = Math.min(intervalSeconds, SAMPLE_INTERVAL_SECONDS_MAX);
  return { infoHashes, totalCount, intervalSeconds: bounded };
}

function readExternal(message: BencodeDict): Endpoint | null {
  const ip = message.bytes('ip');
  if (ip?.length !== 6 && ip?.length !== 18) return null;
  return decodeCompact(ip, familyOf(ip))[0] ?? null;
}

function readWant(args: BencodeDict): Want {
  const list = args.list('want');
  if (!list) return null;
  const named = list
    .slice(0, 8)
    .map((item) => (item instanceof Uint8Array ? decodeLatin1(item) : ''));
  return ([4, 6] as const).filter((family) => named.includes(`n${family}`));
}

/** The bytes of `v` as they came: encoding what was decoded need not give the same. */
function rawValue(view: Uint8Array, dict: BencodeDict): Uint8Array | null {
  if (!dict.has('v')) return null;
  let at = dict.span.start + 1;
  while (at < dict.span.end - 1) {
    const key = decodeBencodePrefix(view.subarray(at, dict.span.end));
    const start = at + key.end;
    const end = start + decodeBencodePrefix(view.subarray(start, dict.span.end)).end;
    const isValue = key.value instanceof Uint8Array && decodeLatin1(key.value) === 'v';
    if (isValue) return view.slice(start, end);
    at = end;
  }
  return null;
}

function sequenceOf(dict: BencodeDict, key: string): bigint | null {
  const value = dict.get(key);
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const sequence = BigInt(value);
  return sequence >= 0n && sequence <= ITEM_SEQUENCE_MAX ? sequence : null;
}

function hashOf(dict: BencodeDict, key: string): Uint8Array | null {
  const hash = dict.bytes(key);
  return hash?.length === NODE_ID_BYTES ? hash.slice() : null;
}

function tokenOf(dict: BencodeDict): Uint8Array | null {
  const token = dict.bytes('token');
  return token && token.length <= TOKEN_BYTES_MAX ? token.slice() : null;
}

function familyOf(compact: Uint8Array): Family {
  return compact.length === 6 ? 4 : 6;
}

function invalid(problem: string): DhtQuery {
  return { method: 'invalid', problem };
}

function malformed(what: string): never {
  throw new WireError('WIRE_DHT', `not a DHT message: ${what}`);
}
