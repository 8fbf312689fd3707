/** The packets of uTP (BEP 29): one UDP datagram each. */

/** What a packet is. */
export type UtpType = 'data' | 'fin' | 'state' | 'reset' | 'syn';

const TYPES: readonly UtpType[] = ['data', 'fin', 'state', 'reset', 'syn'];
const VERSION = 1;

/** Length of a header without extensions. */
export const UTP_HEADER_BYTES = 20;
/** The selective ack's extension number. Others are passed over. */
const SELECTIVE_ACK = 1;
/** Extensions of one packet; more are no uTP. */
const EXTENSIONS_MAX = 8;

/** The header's fields. Times and the window are 32 bits without sign. */
export interface UtpHeader {
  readonly type: UtpType;
  /** 16 bits, as all numbers below that do not say otherwise. */
  readonly connectionId: number;
  /** When it was sent, in microseconds of the sender's own clock, modulo 2^32. */
  readonly timestamp: number;
  /** How late the last packet of the other end came, by the difference of both clocks. */
  readonly delay: number;
  /** How many more bytes the sender can take. */
  readonly windowBytes: number;
  readonly sequence: number;
  /** The last packet up to which everything has come. */
  readonly acknowledged: number;
}

/** A packet that came. Views are borrowed from the datagram. */
export interface UtpPacket extends UtpHeader {
  /**
   * Packets that came out of order: bit n of byte m, lowest first, stands for number
   * `acknowledged + 2 + 8 m + n`. Null when there is none.
   */
  readonly selectiveAck: Uint8Array | null;
  readonly payload: Uint8Array;
}

/** Whether a datagram that arrived on a shared socket is for uTP: DHT messages begin with `d`. */
export function looksLikeUtp(view: Uint8Array): boolean {
  const first = view[0] ?? 0;
  return view.length >= UTP_HEADER_BYTES && (first & 15) === VERSION && first >> 4 < TYPES.length;
}

/** Reads a datagram; null when it is not uTP. */
export function decodeUtp(view: Uint8Array): UtpPacket | null {
  if (!looksLikeUtp(view)) return null;
  const first = view[0] ?? 0;
  let at = UTP_HEADER_BYTES;
  let next = view[1] ?? 0;
  let selectiveAck: Uint8Array | null = null;
  for (let count = 0; next !== 0; count++) {
    const length = view[at + 1];
    if (length === undefined || count === EXTENSIONS_MAX) return null;
    const end = at + 2 + length;
    if (end > view.length) return null;
    if (next === SELECTIVE_ACK) selectiveAck = view.subarray(at + 2, end);
    next = view[at] ?? 0;
    at = end;
  }
  return {
    type: TYPES[first >> 4] ?? 'reset',
    connectionId: read16(view, 2),
    timestamp: read32(view, 4),
    delay: read32(view, 8),
    windowBytes: read32(view, 12),
    sequence: read16(view, 16),
    acknowledged: read16(view, 18),
    selectiveAck,
    payload: view.subarray(at),
  };
}

/** Writes a header without extensions to the first 20 bytes of `view`. */
export function putUtpHeader(view: Uint8Array, header: UtpHeader): void {
  view[0] = (TYPES.indexOf(header.type) << 4) | VERSION;
  view[1] = 0;
  write16(view, 2, header.connectionId);
  write32(view, 4, header.timestamp);
  write32(view, 8, header.delay);
  write32(view, 12, header.windowBytes);
  write16(view, 16, header.sequence);
  write16(view, 18, header.acknowledged);
}

/**
 * A packet without payload. A `selectiveAck` has a multiple of four bytes, at most 252; null or an
 * empty one is left out.
 */
export function encodeUtp(header: UtpHeader, selectiveAck: Uint8Array | null): Uint8Array {
  const mask = selectiveAck ?? new Uint8Array(0);
  if (mask.length === 0) {
    const bare = new Uint8Array(UTP_HEADER_BYTES);
    putUtpHeader(bare, header);
    return bare;
  }
  const view = new Uint8Array(UTP_HEADER_BYTES + 2 + mask.length);
  putUtpHeader(view, header);
  view[1] = SELECTIVE_ACK;
  view[UTP_HEADER_BYTES + 1] = mask.length;
  view.set(mask, UTP_HEADER_BYTES + 2);
  return view;
}

function read16(view: Uint8Array, at: number): number {
  return ((view[at] ?? 0) << 8) | (view[at + 1] ?? 0);
}

function read32(view: Uint8Array, at: number): number {
  return ((read16(view, at) << 16) | read16(view, at + 2)) >>> 0;
}

function write16(view: Uint8Array, at: number, value: number): void {
  view[at] = value >> 8;
  view[at + 1] = value;
}

function write32(view: Uint8Array, at: number, value: number): void {
  view[at] = value >>> 24;
  view[at + 1] = value >>> 16;
  view[at + 2] = value >>> 8;
  view[at + 3] = value;
}
