/** The 68 bytes every connection begins with (BEP 3), and the reserved bits we know (BEP 4). */
import { WireError } from '../wire-error.ts';

/** Length of a handshake on the wire. */
export const HANDSHAKE_BYTES = 68;

const PROTOCOL = Uint8Array.from('\u0013BitTorrent protocol', (char) => char.charCodeAt(0));

/** What the reserved bits say the sender can do. */
export interface HandshakeFlags {
  /** BEP 10, bit 0x10 of byte 5. */
  readonly extended: boolean;
  /** BEP 6, bit 0x04 of byte 7. */
  readonly fast: boolean;
  /** BEP 5, bit 0x01 of byte 7. */
  readonly dht: boolean;
  /** BEP 52, bit 0x10 of byte 7: speaks v2 and takes the v2 hash of this torrent for it. */
  readonly v2?: boolean;
}

/** A handshake. Arrays are 20 bytes each. */
export interface Handshake {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly flags: HandshakeFlags;
}

/** The 68 bytes to send. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const view = new Uint8Array(HANDSHAKE_BYTES);
  view.set(PROTOCOL);
  if (handshake.flags.extended) view[25] = 0x10;
  view[27] = flagsOf(handshake.flags);
  view.set(handshake.infoHash, 28);
  view.set(handshake.peerId, 48);
  return view;
}

/** Whether `view`, the first bytes of a stream, can still become a handshake. */
export function looksLikeHandshake(view: Uint8Array): boolean {
  const known = Math.min(view.length, PROTOCOL.length);
  for (let at = 0; at < known; at++) if (view[at] !== PROTOCOL[at]) return false;
  return true;
}

/** Reads 68 bytes; copies what it keeps. Throws `WIRE_HANDSHAKE` on another protocol. */
export function decodeHandshake(view: Uint8Array): Handshake {
  if (view.length !== HANDSHAKE_BYTES || !looksLikeHandshake(view)) {
    throw new WireError('WIRE_HANDSHAKE', 'the first bytes are not a BitTorrent handshake');
  }
  return {
    infoHash: view.slice(28, 48),
    peerId: view.slice(48, 68),
    flags: {
      extended: ((view[25] ?? 0) & 0x10) !== 0,
      fast: ((view[27] ?? 0) & 0x04) !== 0,
      dht: ((view[27] ?? 0) & 0x01) !== 0,
      v2: ((view[27] ?? 0) & 0x10) !== 0,
    },
  };
}

/** Byte 7 of the reserved bits. */
function flagsOf({ fast, dht, v2 }: HandshakeFlags): number {
  return (fast ? 0x04 : 0) | (dht ? 0x01 : 0) | (v2 ? 0x10 : 0);
}
