/** What HTTP trackers answer, both ways (BEP 3, 7, 23, 24, 31, 48). */
import { toHex } from '../../units/index.ts';
import { decodeBencode } from '../bencode/decode.ts';
import { type Bencodable, encodeBencode } from '../bencode/encode.ts';
import { decodeLatin1 } from '../bencode/utf8.ts';
import { type BencodeDict, BencodeDict as Dict } from '../bencode/value.ts';
import {
  type AnnounceReply,
  REPLY_PEERS_MAX,
  type ScrapeCounts,
  TRACKER_REPLY_BYTES_MAX,
  type TrackerRefusal,
  type TrackerReply,
} from './announce.ts';
import { decodeCompact, type Endpoint, encodeCompact, formatIp, parseIp } from './endpoint.ts';
import { malformed, printableText } from './text.ts';

/** A peer as a dictionary reply writes it (BEP 3). */
export interface HttpPeer extends Endpoint {
  readonly peerId: Uint8Array;
}

/** What our own tracker answers to an announce. */
export interface HttpAnnounceAnswer {
  readonly intervalSeconds: number;
  readonly minIntervalSeconds: number;
  readonly counts: ScrapeCounts;
  readonly peers: readonly HttpPeer[];
  /** The client's address (BEP 24). */
  readonly externalIp: string;
}

/** When a tracker names no interval: half an hour, as other clients assume. */
const INTERVAL_SECONDS_DEFAULT = 1800;

/** Reads an announce reply, or throws `WireError`. Peers named by host name are left out. */
export function parseAnnounceReply(view: Uint8Array): TrackerReply<AnnounceReply> {
  const answer = readDict(view);
  const refusal = readRefusal(answer);
  if (refusal) return { ok: false, refusal };
  const warning = answer.bytes('warning message');
  const trackerId = answer.text('tracker id');
  const externalIp = answer.bytes('external ip');
  const isAddress = externalIp?.length === 4 || externalIp?.length === 16;
  const reply: AnnounceReply = {
    intervalSeconds: natural(answer.integer('interval')) ?? INTERVAL_SECONDS_DEFAULT,
    minIntervalSeconds: natural(answer.integer('min interval')) ?? 0,
    seeders: natural(answer.integer('complete')),
    leechers: natural(answer.integer('incomplete')),
    peers: readPeers(answer).slice(0, REPLY_PEERS_MAX),
    warning: warning === null ? null : printableText(warning),
    trackerId: trackerId !== null && trackerId.length <= TRACKER_ID_MAX ? trackerId : null,
    externalIp: externalIp !== null && isAddress ? formatIp(externalIp) : null,
  };
  return { ok: true, reply };
}

/** Reads a scrape reply into counts by info-hash in hex, or throws `WireError`. */
export function parseScrapeReply(
  view: Uint8Array,
): TrackerReply<ReadonlyMap<string, ScrapeCounts>> {
  const answer = readDict(view);
  const refusal = readRefusal(answer);
  if (refusal) return { ok: false, refusal };
  const files = answer.dict('files');
  if (!files) malformed('scrape reply without files');
  const counts = new Map<string, ScrapeCounts>();
  for (const [hash, entry] of files.entries()) {
    if (hash.length !== 20 || !(entry instanceof Dict)) continue;
    counts.set(toHex(latin1Bytes(hash)), {
      seeders: natural(entry.integer('complete')) ?? 0,
      leechers: natural(entry.integer('incomplete')) ?? 0,
      completed: natural(entry.integer('downloaded')) ?? 0,
    });
  }
  return { ok: true, reply: counts };
}

/** Writes an announce reply: compact lists, or dictionaries for a client that insists. */
export function encodeAnnounceReply(answer: HttpAnnounceAnswer, isCompact: boolean): Uint8Array {
  const v4 = answer.peers.filter(({ host }) => !host.includes(':'));
  const v6 = answer.peers.filter(({ host }) => host.includes(':'));
  const dictionaries = answer.peers.map(({ host, port, peerId }) => {
    return { ip: host, 'peer id': peerId, port };
  });
  return encodeBencode({
    complete: answer.counts.seeders,
    downloaded: answer.counts.completed,
    'external ip': parseIp(answer.externalIp) ?? undefined,
    incomplete: answer.counts.leechers,
    interval: answer.intervalSeconds,
    'min interval': answer.minIntervalSeconds,
    peers: isCompact ? encodeCompact(v4, 4) : dictionaries,
    peers6: isCompact && v6.length > 0 ? encodeCompact(v6, 6) : undefined,
  });
}

/** Writes a scrape reply. Info-hashes are 20 bytes. */
export function encodeScrapeReply(
  entries: readonly (readonly [Uint8Array, ScrapeCounts])[],
): Uint8Array {
  const files = new Map<string, Bencodable>();
  for (const [hash, { seeders, leechers, completed }] of entries) {
    const counts = { complete: seeders, downloaded: completed, incomplete: leechers };
    files.set(decodeLatin1(hash), counts);
  }
  return encodeBencode({ files });
}

/** Writes a refusal (BEP 3, BEP 31). */
export function encodeRefusal({ reason, retryInMinutes }: TrackerRefusal): Uint8Array {
  return encodeBencode({ 'failure reason': reason, 'retry in': retryInMinutes ?? undefined });
}

/** Longest tracker id we keep and send back; it rides on every announce. */
const TRACKER_ID_MAX = 256;

function readDict(view: Uint8Array): BencodeDict {
  const limits = { lengthBytesMax: TRACKER_REPLY_BYTES_MAX, tokensMax: 500_000 };
  const answer = decodeBencode(view, limits);
  return answer instanceof Dict ? answer : malformed('the reply is not a dictionary');
}

function readRefusal(answer: BencodeDict): TrackerRefusal | null {
  // BEP 48 spells the key of scrapes with an underscore.
  const reason = answer.bytes('failure reason') ?? answer.bytes('failure_reason');
  if (!reason) return null;
  const retryIn = answer.get('retry in');
  const isNever = retryIn instanceof Uint8Array && decodeLatin1(retryIn) === 'never';
  const minutes = natural(answer.integer('retry in'));
  return { reason: printableText(reason), retryInMinutes: isNever ? 'never' : minutes };
}

function readPeers(answer: BencodeDict): Endpoint[] {
  const compact4 = answer.bytes('peers') ?? new Uint8Array();
  const compact6 = answer.bytes('peers6') ?? new Uint8Array();
  const listed: Endpoint[] = [];
  for (const entry of answer.list('peers') ?? []) {
    if (listed.length >= REPLY_PEERS_MAX) break;
    if (!(entry instanceof Dict)) continue;
    const host = decodeLatin1((entry.bytes('ip') ?? new Uint8Array()).subarray(0, 46));
    const port = entry.integer('port') ?? 0;
    const address = parseIp(host);
    if (address && port > 0 && port <= 65535) listed.push({ host: formatIp(address), port });
  }
  return [...listed, ...decodeCompact(compact4, 4), ...decodeCompact(compact6, 6)];
}

function natural(value: number | null): number | null {
  return value !== null && value >= 0 ? value : null;
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
