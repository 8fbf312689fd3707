/** The datagrams of PCP (RFC 6887), the successor of NAT-PMP: its MAP opcode alone. */
import { assert } from '../../units/index.ts';
import { formatIp, parseIp, unmapIp } from '../tracker/endpoint.ts';
import { WireError } from '../wire-error.ts';

/** What is forwarded. */
export type MapProtocol = 'tcp' | 'udp';

/** Bytes of the nonce by which a mapping's owner is known. */
export const PCP_NONCE_BYTES = 12;

const VERSION = 2;
const OP_MAP = 1;
const ANSWER = 0x80;
const MAP_BYTES = 60;
/** "Unsupported version", in NAT-PMP as in PCP. */
const RESULT_VERSION = 1;
const NUMBER_OF: Readonly<Record<MapProtocol, number>> = { tcp: 6, udp: 17 };

/** Asks for a mapping, or with `lifetimeSeconds` 0 for its end. */
export interface PcpMapRequest {
  /** Our own IPv4 or IPv6 address, as the router must see it. */
  readonly clientHost: string;
  /** 12 bytes, the same for every request about one mapping. */
  readonly nonce: Uint8Array;
  readonly protocol: MapProtocol;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}

/** What a router answers. */
export type PcpReply =
  /** It speaks NAT-PMP, or a PCP that we do not. */
  | { readonly kind: 'other-version'; readonly version: number }
  | { readonly kind: 'refused'; readonly resultCode: number; readonly nonce: Uint8Array | null }
  | {
      readonly kind: 'mapped';
      readonly nonce: Uint8Array;
      readonly protocol: MapProtocol;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly externalHost: string;
      /** Seconds; 0 says that the mapping is gone. */
      readonly lifetimeSeconds: number;
    };

/** Writes a MAP request. */
export function encodePcpMapRequest(request: PcpMapRequest): Uint8Array {
  const { nonce, protocol } = request;
  assert(nonce.length === PCP_NONCE_BYTES, 'a PCP nonce has 12 bytes');
  const view = new Uint8Array(MAP_BYTES);
  const fields = new DataView(view.buffer);
  view[0] = VERSION;
  view[1] = OP_MAP;
  fields.setUint32(4, request.lifetimeSeconds);
  const client = parseIp(request.clientHost);
  assert(client, () => `'${request.clientHost}' is no address`);
  view.set(longIp(client), 8);
  view.set(nonce, 24);
  view[36] = NUMBER_OF[protocol];
  fields.setUint16(40, request.internalPort);
  fields.setUint16(42, request.externalPort);
  // Any address of the family: the router has its own mind (RFC 6887, 11.1). A firewall without
  // translation answers with our own.
  view.set(longIp(new Uint8Array(client.length)), 44);
  return view;
}

/** Reads an answer. Throws WIRE_NAT for what is none. */
export function decodePcpReply(view: Uint8Array): PcpReply {
  const version = view[0] ?? 0;
  const op = view[1] ?? 0;
  const resultCode = view[3] ?? 0;
  if (view.length < 8 || op < ANSWER) malformed();
  if (version !== VERSION && resultCode === RESULT_VERSION)
    return { kind: 'other-version', version };
  if (version !== VERSION) malformed();
  const isMap = op === ANSWER + OP_MAP && view.length >= MAP_BYTES;
  if (resultCode !== 0) {
    const nonce = isMap ? view.slice(24, 36) : null;
    return { kind: 'refused', resultCode, nonce };
  }
  if (!isMap) malformed();
  const fields = new DataView(view.buffer, view.byteOffset, view.byteLength);
  const protocol = view[36] === 6 ? 'tcp' : view[36] === 17 ? 'udp' : malformed();
  return {
    kind: 'mapped',
    nonce: view.slice(24, 36),
    protocol,
    internalPort: fields.getUint16(40),
    externalPort: fields.getUint16(42),
    externalHost: formatIp(unmapIp(view.subarray(44, 60))),
    lifetimeSeconds: fields.getUint32(4),
  };
}

/** Why a router refused, as the end of a sentence (RFC 6887, 7.4). */
export function explainPcpResult(resultCode: number): string {
  const known = ['', '', 'it does not let us', '', '', '', '', 'it is not connected itself'];
  const others = ['it has no ports left', '', 'we have too many mappings'];
  const reason = [...known, ...others][resultCode];
  return reason ? reason : `error ${resultCode}`;
}

/** 16 bytes: an IPv4 address as an IPv4-mapped IPv6 one (RFC 6887, 5). */
function longIp(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const view = new Uint8Array(16);
  view.set([0xff, 0xff], 10);
  view.set(address, 12);
  return view;
}

function malformed(): never {
  throw new WireError('WIRE_NAT', 'this datagram is no answer of PCP');
}
