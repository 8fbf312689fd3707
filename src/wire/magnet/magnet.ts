/** Magnet links (BEP 9, BEP 53, and `urn:btmh` of BEP 52). */
import { type Bytes, bracketed, bytes, fromHex, toHex } from '../../units/index.ts';
import { WireError } from '../wire-error.ts';
import { decodeBase32 } from './base32.ts';
import { readParameters, valuesOf } from './parameters.ts';
import { percentEncode } from './percent.ts';

/** A peer named in a link, to be tried at once. */
export interface MagnetPeer {
  /** A name or an address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** Indexes of files from `first` to `last`, both included (BEP 53). */
export interface FileRange {
  readonly first: number;
  readonly last: number;
}

/** What a magnet link says. At least one of the info-hashes is there. */
export interface Magnet {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly displayName: string | null;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  readonly peers: readonly MagnetPeer[];
  /** Empty means all files. */
  readonly selectOnly: readonly FileRange[];
  readonly lengthBytes: Bytes | null;
}

/** Longest link read. */
export const MAGNET_CHARACTERS_MAX: number = 64 * 1024;

/** Of each kind of list in a link; more are dropped. */
export const MAGNET_ITEMS_MAX: number = 200;

/** Multihash prefix of SHA-256: its code and its length. */
const SHA256_MULTIHASH = '1220';

const NO_TORRENT = 'it names no torrent (xt=urn:btih:…)';

const FILE_INDEX_END = 2 ** 31;

/**
 * Reads a magnet link, or a bare v1 info-hash, the way clients do: any case, `&amp;` for `&`,
 * numbered parameters (`tr.1`), repeated ones once, unknown ones ignored.
 *
 * @throws WireError WIRE_MAGNET when it is no link or names no torrent
 */
export function parseMagnet(text: string): Magnet {
  if (text.length > MAGNET_CHARACTERS_MAX) refuse(`it is longer than ${MAGNET_CHARACTERS_MAX}`);
  const link = text.trim();
  const bare = /^[a-z0-9]+$/i.test(link) ? readBtih(link) : null;
  if (bare !== null) return { ...EMPTY, infoHashV1: bare };
  const parameters = readParameters(link);
  if (parameters === null) refuse("it does not begin with 'magnet:?'");
  const topics = valuesOf(parameters, 'xt').map((topic) => topic.toLowerCase());
  const infoHashV1 = firstHash(topics, 'urn:btih:', readBtih);
  const infoHashV2 = firstHash(topics, 'urn:btmh:', readBtmh);
  if (infoHashV1 === null && infoHashV2 === null) {
    const isKeyed = valuesOf(parameters, 'xs').some((source) => /^urn:btpk:/i.test(source));
    refuse(isKeyed ? 'it names a key: only download looks up its torrent' : NO_TORRENT);
  }
  const [displayName = null] = valuesOf(parameters, 'dn');
  return {
    infoHashV1,
    infoHashV2,
    displayName: displayName?.trim() || null,
    trackers: uniqueUrls(valuesOf(parameters, 'tr')),
    webSeeds: uniqueUrls(valuesOf(parameters, 'ws')),
    peers: valuesOf(parameters, 'x.pe').flatMap(readPeer).slice(0, MAGNET_ITEMS_MAX),
    selectOnly: valuesOf(parameters, 'so').flatMap(readRanges).slice(0, MAGNET_ITEMS_MAX),
    lengthBytes: readLength(valuesOf(parameters, 'xl')[0]),
  };
}

/** The link of a magnet, in the form that every client reads. */
export function formatMagnet(magnet: Magnet): string {
  const { infoHashV1, infoHashV2, displayName, lengthBytes } = magnet;
  const parts: string[] = [];
  if (infoHashV1 !== null) parts.push(`xt=urn:btih:${toHex(infoHashV1)}`);
  if (infoHashV2 !== null) parts.push(`xt=urn:btmh:${SHA256_MULTIHASH}${toHex(infoHashV2)}`);
  if (displayName !== null) parts.push(`dn=${percentEncode(displayName)}`);
  if (lengthBytes !== null) parts.push(`xl=${lengthBytes}`);
  for (const url of magnet.trackers) parts.push(`tr=${percentEncode(url)}`);
  for (const url of magnet.webSeeds) parts.push(`ws=${percentEncode(url)}`);
  for (const { host, port } of magnet.peers) {
    parts.push(`x.pe=${percentEncode(bracketed(host), '[]:')}:${port}`);
  }
  if (magnet.selectOnly.length > 0) {
    const ranges = magnet.selectOnly.map(({ first, last }) =>
      first === last ? `${first}` : `${first}-${last}`,
    );
    parts.push(`so=${ranges.join(',')}`);
  }
  return `magnet:?${parts.join('&')}`;
}

const EMPTY: Magnet = {
  infoHashV1: null,
  infoHashV2: null,
  displayName: null,
  trackers: [],
  webSeeds: [],
  peers: [],
  selectOnly: [],
  lengthBytes: null,
};

function firstHash(
  topics: readonly string[],
  prefix: string,
  read: (text: string) => Uint8Array | null,
): Uint8Array | null {
  for (const topic of topics) {
    const hash = topic.startsWith(prefix) ? read(topic.slice(prefix.length).trim()) : null;
    if (hash !== null) return hash;
  }
  return null;
}

function readBtih(text: string): Uint8Array | null {
  if (/^[0-9a-f]{40}$/i.test(text)) return fromHex(text);
  return text.length === 32 ? decodeBase32(text) : null;
}

function readBtmh(text: string): Uint8Array | null {
  return /^1220[0-9a-f]{64}$/i.test(text) ? fromHex(text.slice(SHA256_MULTIHASH.length)) : null;
}

function uniqueUrls(urls: readonly string[]): readonly string[] {
  const trimmed = urls.map((url) => url.trim()).filter((url) => url !== '');
  return [...new Set(trimmed)].slice(0, MAGNET_ITEMS_MAX);
}

function readPeer(text: string): readonly MagnetPeer[] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65535 ? [] : [{ host, port }];
}

function readRanges(text: string): readonly FileRange[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part.trim());
    if (!match) return [];
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    return first <= last && last < FILE_INDEX_END ? [{ first, last }] : [];
  });
}

function readLength(text: string | undefined): Bytes | null {
  const length = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? bytes(length) : null;
}

function refuse(problem: string): never {
  throw new WireError('WIRE_MAGNET', `not a usable magnet link: ${problem}`);
}
