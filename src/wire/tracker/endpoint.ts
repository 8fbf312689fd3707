/** IP addresses as bytes and text, and the compact endpoint lists of BEP 23 and BEP 7. */
import { assert } from '../../units/index.ts';

/** Where a peer listens: a literal IPv4 or IPv6 address, never a name, and a port 1..65535. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Address family of an endpoint or a socket. */
export type Family = 4 | 6;

/** Reads a literal address into 4 or 16 bytes; null when it is not one. No zones, no ports. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Writes 4 or 16 bytes as text, IPv6 in the canonical form of RFC 5952. */
export function formatIp(view: Uint8Array): string {
  assert(view.length === 4 || view.length === 16, `an address of ${view.length} bytes`);
  return view.length === 4 ? view.join('.') : formatIpv6(view);
}

/** IPv4 inside an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`), or the same bytes. Borrows. */
export function unmapIp(view: Uint8Array): Uint8Array {
  const isMapped =
    view.length === 16 &&
    view[10] === 0xff &&
    view[11] === 0xff &&
    view.subarray(0, 10).every((byte) => byte === 0);
  return isMapped ? view.subarray(12) : view;
}

/** Bytes one endpoint takes in a compact list: 6 (BEP 23) or 18 (BEP 7). */
export function compactStride(family: Family): number {
  return family === 4 ? 6 : 18;
}

/**
 * Reads a compact list; endpoints with port 0 are left out, nobody listens there.
 *
 * A tail shorter than one endpoint is ignored, as trackers that cut a datagram leave one.
 */
export function decodeCompact(view: Uint8Array, family: Family): Endpoint[] {
  const stride = compactStride(family);
  const endpoints: Endpoint[] = [];
  for (let at = 0; at + stride <= view.length; at += stride) {
    const port = ((view[at + stride - 2] ?? 0) << 8) | (view[at + stride - 1] ?? 0);
    if (port > 0) endpoints.push({ host: formatIp(view.subarray(at, at + stride - 2)), port });
  }
  return endpoints;
}

/** Writes a compact list; endpoints of the other family, or with a name, are our own mistake. */
export function encodeCompact(endpoints: readonly Endpoint[], family: Family): Uint8Array {
  const stride = compactStride(family);
  const list = new Uint8Array(endpoints.length * stride);
  endpoints.forEach(({ host, port }, index) => {
    const address = parseIp(host);
    assert(address?.length === stride - 2, `'${host}' is not an IPv${family} address`);
    list.set(address, index * stride);
    list[index * stride + stride - 2] = port >> 8;
    list[index * stride + stride - 1] = port & 0xff;
  });
  return list;
}

/** By hand and not by a regular expression: a DHT node reads tens of thousands of these. */
function parseIpv4(text: string): Uint8Array | null {
  if (text.length > 15) return null;
  const address = new Uint8Array(4);
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT) {
      if (digits === 0 || value > 255 || part > 3) return null;
      address[part++] = value;
      digits = 0;
      value = 0;
    } else {
      // A leading zero would be octal to some resolvers and decimal to others: refuse it.
      if (code < DIGIT_0 || code > DIGIT_9 || (digits > 0 && value === 0)) return null;
      value = value * 10 + code - DIGIT_0;
      digits++;
    }
  }
  return part === 4 ? address : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!head || !tail) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Bytes of colon-separated groups; a dotted IPv4 may end them where `canEndInIpv4`. */
function parseGroups(text: string, canEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const address: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (canEndInIpv4 && index === groups.length - 1 && group.includes('.')) {
      const dotted = parseIpv4(group);
      if (!dotted) return null;
      address.push(...dotted);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = Number.parseInt(group, 16);
      address.push(value >> 8, value & 0xff);
    }
  }
  return address;
}

function formatIpv6(view: Uint8Array): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(((view[at] ?? 0) << 8) | (view[at + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (at + run < 8 && groups[at + run] === 0) run++;
    if (run > length) [start, length] = [at, run];
  }
  const write = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(':');
  if (start < 0) return write(groups);
  return `${write(groups.slice(0, start))}::${write(groups.slice(start + length))}`;
}
