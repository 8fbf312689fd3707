/** Peer messages after the handshake: ids and encoders (BEP 3, 5, 6, 10, 52). */

/** Message ids. */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

/** Length prefix, id, index and begin: what precedes a block's payload. */
export const PIECE_HEADER_BYTES = 13;

/** A request, cancel or reject with its length prefix. */
export const REQUEST_BYTES = 17;

/**
 * Largest extension message we accept: a piece of metadata has 16 KiB, and others are smaller.
 * Every connection may make us hold so much.
 */
export const EXTENDED_BYTES_MAX: number = 128 * 1024;

/** Writes a 32-bit big-endian number; the caller made room. */
function putUint32(view: Uint8Array, at: number, value: number): void {
  view[at] = value >>> 24;
  view[at + 1] = (value >>> 16) & 0xff;
  view[at + 2] = (value >>> 8) & 0xff;
  view[at + 3] = value & 0xff;
}

/** A message without payload: choke, interested, have-all … */
export function encodeBare(id: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 1, id);
}

/** A message whose payload is one 32-bit index: have, suggest, allowed-fast. */
export function encodeIndex(id: number, index: number): Uint8Array {
  const view = new Uint8Array(9);
  view[3] = 5;
  view[4] = id;
  putUint32(view, 5, index);
  return view;
}

/** Where a request, cancel or reject points. */
export interface BlockRef {
  readonly index: number;
  readonly begin: number;
  readonly length: number;
}

/** Writes a request, cancel or reject at `at`, 17 bytes: batches of many share one array. */
export function putBlockRef(view: Uint8Array, at: number, id: number, block: BlockRef): void {
  putUint32(view, at, 13);
  view[at + 4] = id;
  putUint32(view, at + 5, block.index);
  putUint32(view, at + 9, block.begin);
  putUint32(view, at + 13, block.length);
}

/** A single request, cancel or reject. */
export function encodeBlockRef(id: number, block: BlockRef): Uint8Array {
  const view = new Uint8Array(REQUEST_BYTES);
  putBlockRef(view, 0, id, block);
  return view;
}

/** Writes the 13 bytes before a block's payload at `at`. */
export function putPieceHeader(view: Uint8Array, at: number, block: BlockRef): void {
  putUint32(view, at, 9 + block.length);
  view[at + 4] = MESSAGE.piece;
  putUint32(view, at + 5, block.index);
  putUint32(view, at + 9, block.begin);
}

/** Where our DHT node is: a UDP port (BEP 5). */
export function encodePort(port: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 3, MESSAGE.port, port >> 8, port & 0xff);
}

/** The pieces we have; `bits` as BEP 3 orders them. */
export function encodeBitfield(bits: Uint8Array): Uint8Array {
  const view = new Uint8Array(5 + bits.length);
  putUint32(view, 0, 1 + bits.length);
  view[4] = MESSAGE.bitfield;
  view.set(bits, 5);
  return view;
}

/** An extension message (BEP 10); id 0 is the extension handshake. */
export function encodeExtended(id: number, payload: Uint8Array): Uint8Array {
  const view = new Uint8Array(6 + payload.length);
  putUint32(view, 0, 2 + payload.length);
  view[4] = MESSAGE.extended;
  view[5] = id;
  view.set(payload, 6);
  return view;
}
