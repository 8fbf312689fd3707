/**
 * Looking for a router by SSDP, the discovery of UPnP (UPnP Device Architecture 1.1, 1.3; annex A
 * for IPv6).
 */
import { decodeLatin1, encodeUtf8 } from '../bencode/utf8.ts';
import { WireError } from '../wire-error.ts';

/** Where every UPnP device of the network listens. */
export const SSDP_GROUP = '239.255.255.250';
/** The same over IPv6, on our own link (annex A); it needs a zone. */
export const SSDP_GROUP_6 = 'ff02::c';
/** Its port. */
export const SSDP_PORT = 1900;

/** Longer answers are not heeded. */
const REPLY_BYTES_MAX = 4096;
const LOCATION_CHARS_MAX = 1024;
/** Devices answer within so many seconds, so as not to do so all at once. */
const ANSWER_WITHIN_SECONDS = 2;

/** A device that answered. Nothing it says is proven. */
export interface SsdpReply {
  /** What it is, such as `urn:schemas-upnp-org:device:InternetGatewayDevice:1`. */
  readonly target: string;
  /** URL of its description. */
  readonly location: string;
}

/**
 * Asks for devices or services of one kind; those of a later version answer, too. `group` is the
 * one that is asked.
 */
export function encodeSsdpSearch(
  target: string,
  group: typeof SSDP_GROUP | typeof SSDP_GROUP_6 = SSDP_GROUP,
): Uint8Array {
  const host = group === SSDP_GROUP ? group : `[${group.toUpperCase()}]`;
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${host}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    `MX: ${ANSWER_WITHIN_SECONDS}`,
    `ST: ${target}`,
  ];
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`);
}

/** Reads an answer to a search. Throws WIRE_NAT for anything else, announcements too. */
export function decodeSsdpReply(view: Uint8Array): SsdpReply {
  if (view.length > REPLY_BYTES_MAX) malformed();
  const [status = '', ...lines] = decodeLatin1(view).split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/.test(status)) malformed();
  let target: string | null = null;
  let location: string | null = null;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'st') target ??= value;
    if (name === 'location') location ??= value;
  }
  if (target === null || location === null || location.length > LOCATION_CHARS_MAX) malformed();
  return { target, location };
}

function malformed(): never {
  throw new WireError('WIRE_NAT', 'this datagram is no answer of SSDP');
}
