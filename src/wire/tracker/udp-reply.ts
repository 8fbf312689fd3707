/** What a UDP tracker sends back (BEP 15). */
import { concatBytes } from '../../units/index.ts';
import { encodeUtf8 } from '../bencode/utf8.ts';
import { REPLY_PEERS_MAX, type ScrapeCounts } from './announce.ts';
import {
  compactStride,
  decodeCompact,
  type Endpoint,
  encodeCompact,
  type Family,
} from './endpoint.ts';
import { malformed, printableText } from './text.ts';

/** A datagram from tracker to client. */
export type UdpReply =
  | { readonly action: 'connect'; readonly transactionId: number; readonly connectionId: bigint }
  | {
      readonly action: 'announce';
      readonly transactionId: number;
      readonly intervalSeconds: number;
      readonly leechers: number;
      readonly seeders: number;
      readonly peers: readonly Endpoint[];
    }
  | {
      readonly action: 'scrape';
      readonly transactionId: number;
      /** In the order of the request. */
      readonly counts: readonly ScrapeCounts[];
    }
  | { readonly action: 'error'; readonly transactionId: number; readonly message: string };

/** Writes one datagram; peers must be of the family of the socket it leaves by (BEP 15). */
export function encodeUdpReply(reply: UdpReply, family: Family): Uint8Array {
  switch (reply.action) {
    case 'connect': {
      const view = words(0, reply.transactionId, 0, 0);
      new DataView(view.buffer).setBigUint64(8, reply.connectionId);
      return view;
    }
    case 'announce': {
      const { transactionId, intervalSeconds, leechers, seeders } = reply;
      const head = words(1, transactionId, intervalSeconds, leechers, seeders);
      return concatBytes(head, encodeCompact(reply.peers, family));
    }
    case 'scrape': {
      const counts = reply.counts.flatMap((of) => [of.seeders, of.completed, of.leechers]);
      return words(2, reply.transactionId, ...counts);
    }
    case 'error':
      return concatBytes(words(3, reply.transactionId), encodeUtf8(reply.message));
  }
}

/** Reads one datagram that came over a socket of `family`, or throws `WireError`. */
export function decodeUdpReply(view: Uint8Array, family: Family): UdpReply {
  if (view.length < 8) malformed(`reply of ${view.length} bytes`);
  const fields = new DataView(view.buffer, view.byteOffset, view.byteLength);
  const action = fields.getUint32(0);
  const transactionId = fields.getUint32(4);
  switch (action) {
    case 0:
      if (view.length < 16) malformed(`connect reply of ${view.length} bytes`);
      return { action: 'connect', transactionId, connectionId: fields.getBigUint64(8) };
    case 1: {
      if (view.length < 20) malformed(`announce reply of ${view.length} bytes`);
      const end = 20 + REPLY_PEERS_MAX * compactStride(family);
      return {
        action: 'announce',
        transactionId,
        intervalSeconds: fields.getUint32(8),
        leechers: fields.getUint32(12),
        seeders: fields.getUint32(16),
        peers: decodeCompact(view.subarray(20, end), family),
      };
    }
    case 2: {
      const counts: ScrapeCounts[] = [];
      for (let at = 8; at + 12 <= view.length; at += 12) {
        counts.push({
          seeders: fields.getUint32(at),
          completed: fields.getUint32(at + 4),
          leechers: fields.getUint32(at + 8),
        });
      }
      return { action: 'scrape', transactionId, counts };
    }
    case 3:
      return { action: 'error', transactionId, message: printableText(view.subarray(8)) };
    default:
      return malformed(`unknown action ${action}`);
  }
}

function words(...values: readonly number[]): Uint8Array {
  const view = new Uint8Array(values.length * 4);
  const fields = new DataView(view.buffer);
  values.forEach((value, index) => {
    fields.setUint32(index * 4, value);
  });
  return view;
}
