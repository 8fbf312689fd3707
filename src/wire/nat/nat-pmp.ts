/** The datagrams of NAT-PMP (RFC 6886), in which a router is asked to forward a port. */
import { WireError } from '../wire-error.ts';
import type { MapProtocol } from './pcp.ts';

/** The router's UDP port, for NAT-PMP and PCP alike. */
export const NAT_PMP_PORT = 5351;

const OP_ADDRESS = 0;
const OP_OF: Readonly<Record<MapProtocol, number>> = { udp: 1, tcp: 2 };
/** Set in the opcode of an answer. */
const ANSWER = 0x80;

/** What a router answers. A `resultCode` other than 0 is a refusal (RFC 6886, 3.5). */
export type NatPmpReply =
  | { readonly kind: 'refused'; readonly op: number; readonly resultCode: number }
  | { readonly kind: 'address'; readonly host: string }
  | {
      readonly kind: 'mapped';
      readonly protocol: MapProtocol;
      readonly internalPort: number;
      readonly externalPort: number;
      /** Seconds; 0 says that the mapping is gone. */
      readonly lifetimeSeconds: number;
    };

/** Asks for the router's external address. */
export function encodeNatPmpAddressRequest(): Uint8Array {
  return Uint8Array.of(0, OP_ADDRESS);
}

/** Asks for a mapping; with no lifetime and no external port, for its end (RFC 6886, 3.4). */
export function encodeNatPmpMapRequest(request: {
  readonly protocol: MapProtocol;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}): Uint8Array {
  const view = new Uint8Array(12);
  const fields = new DataView(view.buffer);
  view[1] = OP_OF[request.protocol];
  fields.setUint16(4, request.internalPort);
  fields.setUint16(6, request.externalPort);
  fields.setUint32(8, request.lifetimeSeconds);
  return view;
}

/** Reads an answer. Throws WIRE_NAT for what is none. */
export function decodeNatPmpReply(view: Uint8Array): NatPmpReply {
  const op = (view[1] ?? 0) - ANSWER;
  if (view.length < 8 || view[0] !== 0 || op < 0) malformed();
  const fields = new DataView(view.buffer, view.byteOffset, view.byteLength);
  const resultCode = fields.getUint16(2);
  if (resultCode !== 0) return { kind: 'refused', op, resultCode };
  if (op === OP_ADDRESS && view.length >= 12) {
    return { kind: 'address', host: view.subarray(8, 12).join('.') };
  }
  const protocol = op === OP_OF.udp ? 'udp' : op === OP_OF.tcp ? 'tcp' : malformed();
  if (view.length < 16) malformed();
  return {
    kind: 'mapped',
    protocol,
    internalPort: fields.getUint16(8),
    externalPort: fields.getUint16(10),
    lifetimeSeconds: fields.getUint32(12),
  };
}

function malformed(): never {
  throw new WireError('WIRE_NAT', 'this datagram is no answer of NAT-PMP');
}
