/** Where a .torrent file says peers and data are: trackers, web seeds, DHT nodes. */
import { decodeUtf8, encodeUtf8 } from '../bencode/utf8.ts';
import { type BencodeDict, type BencodeValue, isBencodeList } from '../bencode/value.ts';
import type { DhtNode } from './metainfo.ts';

/** How many of each kind we keep; a torrent with more is trying to make us attack somebody. */
const LINKS_MAX = 1000;

/** Tiers of `announce-list` (BEP 12), or else the one tracker of `announce`. Empty tiers go. */
export function readTrackers(torrent: BencodeDict): readonly (readonly string[])[] {
  let room = LINKS_MAX;
  const tiers: (readonly string[])[] = [];
  for (const tier of torrent.list('announce-list') ?? []) {
    if (!isBencodeList(tier)) continue;
    const urls = textsOf(tier).slice(0, room);
    room -= urls.length;
    if (urls.length > 0) tiers.push(urls);
  }
  if (tiers.length > 0) return tiers;
  const [single] = textsOf([torrent.get('announce')]);
  return single === undefined ? [] : [[single]];
}

/** URLs of `url-list` (BEP 19), one or many; those of `httpseeds` (BEP 17) are not read. */
export function readWebSeeds(torrent: BencodeDict, hasManyFiles: boolean): readonly string[] {
  const list = torrent.get('url-list');
  const urls = textsOf(isBencodeList(list) ? list : [list])
    .slice(0, LINKS_MAX)
    .map(escapeUrl)
    .map((url) => (hasManyFiles && !url.endsWith('/') ? `${url}/` : url));
  return [...new Set(urls)];
}

/** Pairs of host and port in `nodes` (BEP 5). */
export function readNodes(torrent: BencodeDict): readonly DhtNode[] {
  const nodes: DhtNode[] = [];
  for (const pair of (torrent.list('nodes') ?? []).slice(0, LINKS_MAX)) {
    if (!isBencodeList(pair)) continue;
    const [host, port] = pair;
    if (!(host instanceof Uint8Array) || typeof port !== 'number') continue;
    if (host.length > 0 && port > 0 && port < 65536) nodes.push({ host: decodeUtf8(host), port });
  }
  return nodes;
}

/** The strings of a list without the white space around them; what is left empty goes. */
function textsOf(values: readonly (BencodeValue | undefined)[]): readonly string[] {
  return values
    .filter((value) => value instanceof Uint8Array)
    .map((value) => decodeUtf8(value).trim())
    .filter((text) => text !== '');
}

/** Percent-encodes what may not stand in a URL; leaves what is encoded already. */
function escapeUrl(url: string): string {
  let escaped = '';
  for (const byte of encodeUtf8(url)) {
    const character = String.fromCharCode(byte);
    const isLegal = byte > 0x20 && byte < 0x7f && !'"<>\\^`{|}'.includes(character);
    escaped += isLegal ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
