/** Datagrams on their way to and from a SOCKS5 proxy: a header says who is meant, or who it was. */
import { assert, concatBytes } from '../../units/index.ts';
import { type Endpoint, formatIp, parseIp, unmapIp } from '../tracker/endpoint.ts';
import { WireError } from '../wire-error.ts';

/** A datagram that came through a proxy. */
export interface SocksDatagram {
  /** Who sent it: always a literal address. */
  readonly from: Endpoint;
  /** Borrows what was read. */
  readonly payload: Uint8Array;
}

/** Kinds of addresses (RFC 1928, section 5). */
const KIND_IPV4 = 1;
const KIND_NAME = 3;
const KIND_IPV6 = 4;

/** Two reserved bytes, the number of the fragment, the kind of the address. */
const START_BYTES = 4;
const PORT_BYTES = 2;
/** A name's length is one byte. */
const NAME_BYTES_MAX = 255;

/**
 * Writes a datagram for `host`, a literal address or an ASCII name that the proxy looks up (RFC
 * 1928, section 7). It is whole: fragments are never made.
 */
export function encodeSocksDatagram({ host, port }: Endpoint, payload: Uint8Array): Uint8Array {
  const ip = parseIp(host);
  const kind = ip === null ? KIND_NAME : ip.length === 4 ? KIND_IPV4 : KIND_IPV6;
  const start = Uint8Array.of(0, 0, 0, kind);
  const end = Uint8Array.of(port >> 8, port & 0xff);
  return concatBytes(start, ip ?? nameOf(host), end, payload);
}

/**
 * Reads a datagram that a proxy passes on. Fragments are refused, as RFC 1928 allows, and so are
 * names: what was sent came from an address.
 *
 * @throws WireError WIRE_SOCKS
 */
export function decodeSocksDatagram(view: Uint8Array): SocksDatagram {
  const [, , fragment, kind] = view;
  if (fragment !== 0) throw malformed('is a fragment, or has no header');
  if (kind !== KIND_IPV4 && kind !== KIND_IPV6)
    throw malformed('does not say which address sent it');
  const portAt = START_BYTES + (kind === KIND_IPV4 ? 4 : 16);
  const start = portAt + PORT_BYTES;
  if (view.length < start) throw malformed('ends within its header');
  const port = ((view[portAt] ?? 0) << 8) | (view[portAt + 1] ?? 0);
  if (port === 0) throw malformed('comes from no port');
  const host = formatIp(unmapIp(view.subarray(START_BYTES, portAt)));
  return { from: { host, port }, payload: view.subarray(start) };
}

function nameOf(host: string): Uint8Array {
  assert(host.length > 0 && host.length <= NAME_BYTES_MAX, 'a name in SOCKS5 has 1 to 255 bytes');
  return Uint8Array.of(host.length, ...Array.from(host, (char) => char.charCodeAt(0) & 0xff));
}

function malformed(what: string): WireError {
  return new WireError('WIRE_SOCKS', `the datagram from the proxy ${what}`);
}
