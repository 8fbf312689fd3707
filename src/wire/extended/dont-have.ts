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
