/** The datagram by which neighbours announce their torrents to each other (BEP 14). */
import { fromHex, toHex } from '../../units/index.ts';
import { decodeLatin1, encodeUtf8 } from '../../wire/index.ts';

/** Where everybody listens. */
export const LSD_PORT = 6771;
/** The group of IPv4, of organisation-local scope. */
export const LSD_GROUP_V4 = '239.192.152.143';
/** The group of IPv6, of site-local scope. */
export const LSD_GROUP_V6 = 'ff15::efc0:988f';

/** Torrents of one announce: 20 lines of 52 bytes stay below the 1400 bytes of BEP 14. */
export const LSD_TORRENTS_MAX = 20;

/** Longer datagrams are no announces. */
const LSD_BYTES_MAX = 2048;
const LINES_MAX = 60;

/** One announce: whoever sent it serves these torrents at `port`. */
export interface LsdAnnounce {
  readonly port: number;
  readonly infoHashes: readonly Uint8Array[];
  /** By which a sender knows its own announces; null when there is none. */
  readonly cookie: string | null;
}

/** Writes an announce for one of the two groups. */
export function encodeLsd(announce: LsdAnnounce, group: 4 | 6): Uint8Array {
  const host = group === 4 ? LSD_GROUP_V4 : `[${LSD_GROUP_V6}]`;
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${host}:${LSD_PORT}`,
    `Port: ${announce.port}`,
    ...announce.infoHashes.map((infoHash) => `Infohash: ${toHex(infoHash)}`),
    ...(announce.cookie === null ? [] : [`cookie: ${announce.cookie}`]),
  ];
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n\r\n`);
}

/** Reads an announce; null for anything else. Unknown headers and odd hashes are passed over. */
export function decodeLsd(view: Uint8Array): LsdAnnounce | null {
  if (view.length > LSD_BYTES_MAX) return null;
  const [request, ...headers] = decodeLatin1(view).split('\r\n', LINES_MAX);
  if (request !== 'BT-SEARCH * HTTP/1.1') return null;
  let port = 0;
  let cookie: string | null = null;
  const infoHashes: Uint8Array[] = [];
  for (const header of headers) {
    const [, name = '', value = ''] = /^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(header) ?? [];
    const key = name.toLowerCase();
    if (key === 'port' && /^\d{1,5}$/.test(value)) port = Number(value);
    else if (key === 'cookie') cookie = value;
    else if (key === 'infohash' && /^[0-9a-f]{40}$/i.test(value)) {
      if (infoHashes.length < LSD_TORRENTS_MAX * 2) infoHashes.push(fromHex(value.toLowerCase()));
    }
  }
  if (port < 1 || port > 65535 || infoHashes.length === 0) return null;
  return { port, infoHashes, cookie };
}
