/** How a peer brings two others together that cannot reach each other (BEP 55). */
import { assert } from '../../units/index.ts';
import { type Endpoint, formatIp, parseIp } from '../tracker/endpoint.ts';
import { WireError } from '../wire-error.ts';

/** Its name in the extension handshake. */
export const HOLEPUNCH_EXTENSION = 'ut_holepunch';

/**
 * `rendezvous` asks the one in the middle for `target`; `connect` says that `target` is to be
 * dialled by uTP now; `error` that it cannot be.
 */
export type HolepunchKind = 'rendezvous' | 'connect' | 'error';

/** Why there is no rendezvous (BEP 55, "Error codes"). */
export const HOLEPUNCH_ERROR = {
  /** The target is no address of a peer. */
  noSuchPeer: 1,
  /** Whoever was asked is not connected to it. */
  notConnected: 2,
  /** It does not speak the extension. */
  noSupport: 3,
  /** It is whoever was asked. */
  noSelf: 4,
} as const;

/** One message. */
export interface HolepunchMessage {
  readonly kind: HolepunchKind;
  /** A literal address; its port may be 0, which nobody can be reached at. */
  readonly target: Endpoint;
  /** One of `HOLEPUNCH_ERROR`, or what the future brings; 0 where `kind` is not `error`. */
  readonly error: number;
}

/** By number, as on the wire. */
const KINDS: readonly HolepunchKind[] = ['rendezvous', 'connect', 'error'];

/** Type, family and port. */
const FRAME_BYTES = 4;
const ERROR_BYTES = 4;

/** Writes a message. The target's host is a literal address. */
export function encodeHolepunch({ kind, target, error }: HolepunchMessage): Uint8Array {
  const address = parseIp(target.host);
  assert(address, `'${target.host}' is an address`);
  const message = new Uint8Array(FRAME_BYTES + address.length + ERROR_BYTES);
  const view = new DataView(message.buffer);
  message[0] = KINDS.indexOf(kind);
  message[1] = address.length === 4 ? 0 : 1;
  message.set(address, 2);
  view.setUint16(2 + address.length, target.port);
  view.setUint32(FRAME_BYTES + address.length, error);
  return message;
}

/**
 * Reads a message; null for one of a kind or family that we do not know. libtorrent leaves the
 * error out where there is none: that is 0.
 *
 * @throws WireError WIRE_EXTENSION
 */
export function decodeHolepunch(payload: Uint8Array): HolepunchMessage | null {
  const kind = KINDS[payload[0] ?? KINDS.length];
  const family = payload[1] ?? 2;
  if (!kind || family > 1) return null;
  const portAt = family === 0 ? 6 : 18;
  if (payload.length < portAt + 2) {
    throw new WireError('WIRE_EXTENSION', `an address is missing from ${payload.length} bytes`);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const hasError = kind === 'error' && payload.length >= portAt + 2 + ERROR_BYTES;
  const host = formatIp(payload.subarray(2, portAt));
  const error = hasError ? view.getUint32(portAt + 2) : 0;
  return { kind, target: { host, port: view.getUint16(portAt) }, error };
}
