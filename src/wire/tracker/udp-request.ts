/** What a client sends to a UDP tracker (BEP 15), with the URL options of BEP 41. */
import { assert } from '../../units/index.ts';
import type { AnnounceEvent, AnnounceRequest } from './announce.ts';
import { malformed } from './text.ts';

/** A datagram from client to tracker. `connectionId` is 64 opaque bits. */
export type UdpRequest =
  | { readonly action: 'connect'; readonly transactionId: number }
  | {
      readonly action: 'announce';
      readonly transactionId: number;
      readonly connectionId: bigint;
      readonly announce: AnnounceRequest;
      /** Path and query of the tracker's URL in ASCII (BEP 41); empty when there is none. */
      readonly urlData: string;
    }
  | {
      readonly action: 'scrape';
      readonly transactionId: number;
      readonly connectionId: bigint;
      /** 1..74 info-hashes of 20 bytes. */
      readonly infoHashes: readonly Uint8Array[];
    };

/** Magic number of a connect request (BEP 15). */
const PROTOCOL_ID = 0x41727101980n;

/** "Up to about 74 torrents can be scraped at once" (BEP 15). */
const UDP_SCRAPE_HASHES_MAX = 74;

/** Longest URL data we read or write; a URL is at most this long anyway. */
const URL_DATA_MAX = 2048;

/** BEP 15's numbers for events. */
const EVENTS: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped'];

const ANNOUNCE_BYTES = 98;

/** Writes one datagram. */
export function encodeUdpRequest(request: UdpRequest): Uint8Array {
  switch (request.action) {
    case 'connect':
      return header(16, { connectionId: PROTOCOL_ID, action: 0, request });
    case 'announce':
      return encodeAnnounce(request);
    case 'scrape': {
      const count = request.infoHashes.length;
      assert(count >= 1 && count <= UDP_SCRAPE_HASHES_MAX, `scrape of ${count} torrents`);
      const { connectionId } = request;
      const view = header(16 + 20 * count, { connectionId, action: 2, request });
      request.infoHashes.forEach((hash, index) => {
        view.set(hash, 16 + 20 * index);
      });
      return view;
    }
  }
}

/** Reads one datagram, or throws `WireError`. Extra bytes are allowed, as BEP 15 asks. */
export function decodeUdpRequest(view: Uint8Array): UdpRequest {
  if (view.length < 16) malformed(`request of ${view.length} bytes`);
  const fields = new DataView(view.buffer, view.byteOffset, view.byteLength);
  const connectionId = fields.getBigUint64(0);
  const action = fields.getUint32(8);
  const transactionId = fields.getUint32(12);
  switch (action) {
    case 0:
      if (connectionId !== PROTOCOL_ID) malformed('wrong protocol id in connect');
      return { action: 'connect', transactionId };
    case 1: {
      if (view.length < ANNOUNCE_BYTES) malformed(`announce of ${view.length} bytes`);
      const announce = decodeAnnounce(view, fields);
      const urlData = decodeUrlData(view.subarray(ANNOUNCE_BYTES));
      return { action: 'announce', transactionId, connectionId, announce, urlData };
    }
    case 2: {
      const infoHashes: Uint8Array[] = [];
      for (let at = 16; at + 20 <= view.length; at += 20) infoHashes.push(view.slice(at, at + 20));
      if (infoHashes.length < 1) malformed('scrape without info-hash');
      infoHashes.splice(UDP_SCRAPE_HASHES_MAX);
      return { action: 'scrape', transactionId, connectionId, infoHashes };
    }
    default:
      return malformed(`unknown action ${action}`);
  }
}

interface Header {
  readonly connectionId: bigint;
  readonly action: number;
  readonly request: { readonly transactionId: number };
}

function header(length: number, { connectionId, action, request }: Header): Uint8Array {
  const view = new Uint8Array(length);
  const fields = new DataView(view.buffer);
  fields.setBigUint64(0, connectionId);
  fields.setUint32(8, action);
  fields.setUint32(12, request.transactionId);
  return view;
}

function encodeAnnounce(request: Extract<UdpRequest, { action: 'announce' }>): Uint8Array {
  const { announce, connectionId } = request;
  const options = encodeUrlData(request.urlData);
  const view = header(ANNOUNCE_BYTES + options.length, { connectionId, action: 1, request });
  const fields = new DataView(view.buffer);
  view.set(announce.infoHash, 16);
  view.set(announce.peerId, 36);
  fields.setBigUint64(56, BigInt(announce.downloadedBytes));
  fields.setBigUint64(64, BigInt(announce.leftBytes));
  fields.setBigUint64(72, BigInt(announce.uploadedBytes));
  fields.setUint32(80, EVENTS.indexOf(announce.event));
  // 84: our address, left 0: trackers take the datagram's own, and others could be abused.
  fields.setUint32(88, announce.key);
  fields.setInt32(92, announce.numWant);
  fields.setUint16(96, announce.port);
  view.set(options, ANNOUNCE_BYTES);
  return view;
}

function decodeAnnounce(view: Uint8Array, fields: DataView): AnnounceRequest {
  const event = EVENTS[fields.getUint32(80)];
  if (event === undefined) malformed(`unknown event ${fields.getUint32(80)}`);
  return {
    infoHash: view.slice(16, 36),
    peerId: view.slice(36, 56),
    downloadedBytes: safeSize(fields.getBigUint64(56)),
    leftBytes: safeSize(fields.getBigUint64(64)),
    uploadedBytes: safeSize(fields.getBigUint64(72)),
    event,
    key: fields.getUint32(88),
    numWant: Math.max(-1, fields.getInt32(92)),
    port: fields.getUint16(96),
  };
}

/** Sizes past 2^53 are somebody's "unknown" (2^64-1): they become the largest safe size. */
function safeSize(value: bigint): number {
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > largest ? largest : value);
}

/** BEP 41: option 2 holds up to 255 bytes of URL; several are joined; 0 ends the list. */
function encodeUrlData(urlData: string): Uint8Array {
  assert(urlData.length <= URL_DATA_MAX, `URL data of ${urlData.length} characters`);
  const options: number[] = [];
  for (let at = 0; at < urlData.length; at += 255) {
    const part = urlData.slice(at, at + 255);
    options.push(2, part.length);
    for (let index = 0; index < part.length; index++) options.push(part.charCodeAt(index) & 0x7f);
  }
  if (options.length > 0) options.push(0);
  return Uint8Array.from(options);
}

function decodeUrlData(options: Uint8Array): string {
  let urlData = '';
  for (let at = 0; at < options.length; ) {
    const kind = options[at++];
    if (kind === 0) break;
    if (kind === 1) continue;
    const length = options[at++] ?? 0;
    // A cut or unknown option is no reason to refuse the announce it is attached to.
    if (kind === 2 && urlData.length + length <= URL_DATA_MAX) {
      for (const byte of options.subarray(at, at + length)) {
        urlData += String.fromCharCode(byte & 0x7f);
      }
    }
    at += length;
  }
  return urlData;
}
