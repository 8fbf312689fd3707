/** KRPC messages to bytes. */
import { type Bencodable, encodeBencode, RawBencode } from '../bencode/encode.ts';
import { type Endpoint, encodeCompact } from '../tracker/endpoint.ts';
import { encodeNodes } from './compact-nodes.ts';
import type { DhtQuery, DhtReply, KrpcMessage, Want } from './messages.ts';

type Arguments = { readonly [key: string]: Bencodable | undefined };

/** Writes one packet. */
export function encodeKrpc(message: KrpcMessage): Uint8Array {
  const t = message.transactionId;
  switch (message.kind) {
    case 'query': {
      const [method, args] = queryParts(message.query);
      const ro = message.isReadOnly ? 1 : undefined;
      return encodeBencode({ a: { id: message.senderId, ...args }, q: method, ro, t, y: 'q' });
    }
    case 'reply': {
      const ip = externalAddress(message.externalAddress);
      return encodeBencode({
        ip,
        r: { id: message.senderId, ...replyParts(message.reply) },
        t,
        y: 'r',
      });
    }
    case 'error': {
      const ip = externalAddress(message.externalAddress);
      return encodeBencode({ e: [message.code, message.text], ip, t, y: 'e' });
    }
  }
}

function queryParts(query: DhtQuery): readonly [method: string, Arguments] {
  switch (query.method) {
    case 'ping':
      return ['ping', {}];
    case 'find_node':
    case 'sample_infohashes':
      return [query.method, { target: query.target, want: wantList(query.want) }];
    case 'get_peers':
      return [
        'get_peers',
        {
          info_hash: query.infoHash,
          noseed: flag(query.noSeeds),
          scrape: flag(query.isScrape),
          want: wantList(query.want),
        },
      ];
    case 'announce_peer':
      return [
        'announce_peer',
        {
          implied_port: flag(query.isPortImplied),
          info_hash: query.infoHash,
          port: query.port,
          seed: flag(query.isSeed),
          token: query.token,
        },
      ];
    case 'get': {
      const { target, sequence, want } = query;
      return ['get', { seq: sequence ?? undefined, target, want: wantList(want) }];
    }
    case 'put':
      return ['put', putArguments(query)];
    case 'unknown':
      return ['unknown', { target: query.target ?? undefined }];
    case 'invalid':
      return ['invalid', {}];
  }
}

function putArguments(query: Extract<DhtQuery, { method: 'put' }>): Arguments {
  const { item, token } = query;
  const v = new RawBencode(item.value);
  if (item.kind === 'immutable') return { token, v };
  return {
    cas: query.expectedSequence ?? undefined,
    k: item.publicKey,
    salt: item.salt.length > 0 ? item.salt : undefined,
    seq: item.sequence,
    sig: item.signature,
    token,
    v,
  };
}

function replyParts(reply: DhtReply): Arguments {
  const { item, samples } = reply;
  return {
    BFpe: reply.peerFilter ?? undefined,
    BFsd: reply.seedFilter ?? undefined,
    interval: samples?.intervalSeconds,
    k: item?.signed?.publicKey,
    nodes: reply.nodes.length > 0 ? encodeNodes(reply.nodes, 4) : undefined,
    nodes6: reply.nodes6.length > 0 ? encodeNodes(reply.nodes6, 6) : undefined,
    num: samples?.totalCount,
    samples: samples ? joined(samples.infoHashes) : undefined,
    seq: reply.sequence ?? undefined,
    sig: item?.signed?.signature,
    token: reply.token ?? undefined,
    v: item ? new RawBencode(item.value) : undefined,
    values: reply.peers.length > 0 ? reply.peers.map(compact) : undefined,
  };
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const list = new Uint8Array(hashes.length * 20);
  hashes.forEach((hash, index) => {
    list.set(hash, index * 20);
  });
  return list;
}

function compact(endpoint: Endpoint): Uint8Array {
  return encodeCompact([endpoint], endpoint.host.includes(':') ? 6 : 4);
}

function externalAddress(endpoint: Endpoint | null): Uint8Array | undefined {
  return endpoint ? compact(endpoint) : undefined;
}

function wantList(want: Want): readonly string[] | undefined {
  return want?.map((family) => `n${family}`);
}

function flag(isSet: boolean): number | undefined {
  return isSet ? 1 : undefined;
}
