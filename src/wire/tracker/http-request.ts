/** The query strings of HTTP announces and scrapes, both ways (BEP 3, 7, 23, 48). */
import { encodeUtf8 } from '../bencode/utf8.ts';
import type { AnnounceEvent, AnnounceRequest } from './announce.ts';
import { decodePercent, encodePercent, malformed } from './text.ts';
import { formatTrackerUrl, scrapeUrlOf, type TrackerUrl } from './tracker-url.ts';

/** An announce as an HTTP tracker reads it. */
export interface HttpAnnounce {
  readonly announce: AnnounceRequest;
  /** Peers as 6 bytes each (BEP 23); false only when the client insists on dictionaries. */
  readonly isCompact: boolean;
}

/** Longest query a tracker reads. */
const QUERY_CHARACTERS_MAX = 8192;

/** Info-hashes answered in one scrape. */
const HTTP_SCRAPE_HASHES_MAX = 74;

/** Bytes left when a client does not say: it is taken for a downloader. */
const LEFT_UNKNOWN: number = Number.MAX_SAFE_INTEGER;

/** The URL of an announce. `trackerId` is what this tracker gave us before. */
export function announceUrl(
  url: TrackerUrl,
  announce: AnnounceRequest,
  trackerId: string | null,
): string {
  const pairs = [
    `info_hash=${encodePercent(announce.infoHash)}`,
    `peer_id=${encodePercent(announce.peerId)}`,
    `port=${announce.port}`,
    `uploaded=${announce.uploadedBytes}`,
    `downloaded=${announce.downloadedBytes}`,
    `left=${announce.leftBytes}`,
    `corrupt=${announce.corruptBytes ?? 0}`,
    `key=${announce.key.toString(16).padStart(8, '0').toUpperCase()}`,
    ...(announce.event === 'none' ? [] : [`event=${announce.event}`]),
    ...(announce.numWant < 0 ? [] : [`numwant=${announce.numWant}`]),
    'compact=1',
    'no_peer_id=1',
    'supportcrypto=1',
    ...(trackerId === null ? [] : [`trackerid=${encodePercent(encodeUtf8(trackerId))}`]),
  ];
  return withQuery(url, pairs);
}

/** The URL of a scrape of these torrents; null when the tracker cannot be scraped (BEP 48). */
export function scrapeUrl(url: TrackerUrl, infoHashes: readonly Uint8Array[]): string | null {
  const scrape = scrapeUrlOf(url);
  if (!scrape) return null;
  return withQuery(
    scrape,
    infoHashes.map((hash) => `info_hash=${encodePercent(hash)}`),
  );
}

/** Reads the raw query of an announce, or throws `WireError` naming what is missing. */
export function parseAnnounceQuery(query: string): HttpAnnounce {
  const parameters = readQuery(query);
  const one = (name: string): string | undefined => parameters.get(name)?.[0];
  const announce: AnnounceRequest = {
    infoHash: readHash(one('info_hash'), 'info_hash'),
    peerId: readHash(one('peer_id'), 'peer_id'),
    port: readInteger(one('port'), 'port', 65535) ?? malformed('port is missing'),
    uploadedBytes: readInteger(one('uploaded'), 'uploaded') ?? 0,
    downloadedBytes: readInteger(one('downloaded'), 'downloaded') ?? 0,
    leftBytes: readInteger(one('left'), 'left') ?? LEFT_UNKNOWN,
    event: readEvent(one('event')),
    key: readKey(one('key')),
    // A negative number is the default, as in BEP 15.
    numWant: /^-\d+$/.test(one('numwant') ?? '')
      ? -1
      : (readInteger(one('numwant'), 'numwant') ?? -1),
  };
  return { announce, isCompact: one('compact') !== '0' };
}

/** Reads the raw query of a scrape: its info-hashes, none when all are meant. */
export function parseScrapeQuery(query: string): readonly Uint8Array[] {
  const values = readQuery(query).get('info_hash') ?? [];
  return values.slice(0, HTTP_SCRAPE_HASHES_MAX).map((value) => readHash(value, 'info_hash'));
}

function withQuery(url: TrackerUrl, pairs: readonly string[]): string {
  const query = [...(url.query === '' ? [] : [url.query]), ...pairs].join('&');
  return formatTrackerUrl({ ...url, query });
}

/** Values by name, still percent-encoded: only raw bytes survive in `info_hash`. */
function readQuery(query: string): ReadonlyMap<string, readonly string[]> {
  if (query.length > QUERY_CHARACTERS_MAX) malformed(`query of ${query.length} characters`);
  const parameters = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const values = parameters.get(pair.slice(0, at)) ?? [];
    values.push(pair.slice(at + 1));
    parameters.set(pair.slice(0, at), values);
  }
  return parameters;
}

function readHash(value: string | undefined, name: string): Uint8Array {
  if (value === undefined) malformed(`${name} is missing`);
  const hash = decodePercent(value);
  if (hash?.length !== 20) malformed(`${name} is not 20 bytes`);
  return hash;
}

function readInteger(value: string | undefined, name: string, largest?: number): number | null {
  if (value === undefined || value === '') return null;
  if (!/^\d{1,20}$/.test(value)) malformed(`${name} is not a number`);
  const number = Math.min(Number(value), Number.MAX_SAFE_INTEGER);
  if (largest !== undefined && number > largest) malformed(`${name} is above ${largest}`);
  return number;
}

function readEvent(value: string | undefined): AnnounceEvent {
  switch (value) {
    case 'started':
    case 'completed':
    case 'stopped':
      return value;
    default:
      // BEP 3: absent or empty is the regular announce; `paused` (BEP 21) is one, too.
      return 'none';
  }
}

/** Clients write the key in hex or otherwise; only whether it stays the same matters. */
function readKey(value: string | undefined): number {
  return /^[0-9a-f]{1,8}$/i.test(value ?? '') ? Number.parseInt(value ?? '0', 16) : 0;
}
