/** A piece that a peer had and has no more (BEP 54). */
import { WireError } from '../wire-error.ts';

/** Its name in the extension handshake. */
export const DONT_HAVE_EXTENSION = 'lt_donthave';

/** Reads the index of the piece: four bytes, and nothing else. */
export function decodeDontHave(payload: Uint8Array): number {
  if (payload.length !== 4) {
    throw new WireError('WIRE_EXTENSION', `a lost piece takes 4 bytes, not ${payload.length}`);
  }
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
}

/** The payload that says that the piece of this index is lost. */
export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, piece);
  return payload;
}
