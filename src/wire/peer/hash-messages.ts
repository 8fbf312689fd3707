/** Hash requests, hashes and hash rejects (BEP 52): parts of a file's Merkle tree. */
import { assert } from '../../units/index.ts';
import { MERKLE_HASH_BYTES } from '../metainfo/merkle.ts';
import { WireError } from '../wire-error.ts';
import { MESSAGE } from './messages.ts';

/** Which hashes of which file's tree. */
export interface HashRef {
  /** `pieces root` of the file, 32 bytes. */
  readonly root: Uint8Array;
  /** Height of the layer asked for: 0 is that of the 16 KiB blocks. */
  readonly baseLayer: number;
  /** First hash of the layer; a multiple of `length`, as BEP 52 wants it. */
  readonly index: number;
  /** How many; as BEP 52 wants it a power of two from 2 to `HASHES_MAX`. */
  readonly length: number;
  /** Layers above the base layer of which uncles are wanted, to prove the hashes. */
  readonly proofLayers: number;
}

/** What a message about hashes says. */
export interface HashAnswer {
  readonly ref: HashRef;
  /** The layer's hashes, then the uncles from below upward, joined. */
  readonly hashes: Uint8Array;
}

/** Most hashes of one request: 16 KiB of them. */
export const HASHES_MAX = 512;

/** The highest tree there can be: 2^30 blocks of 16 KiB, with room. */
const LAYERS_MAX = 32;
/** Length of a hash request or a hash reject without prefix and id. */
export const HASH_REF_BYTES = 48;

/** A hash request or a hash reject. */
export function encodeHashRef(id: number, ref: HashRef): Uint8Array {
  return encode(id, ref, new Uint8Array(0));
}

/** The answer: the layer's hashes, then the uncles from below upward, joined. */
export function encodeHashes(ref: HashRef, hashes: Uint8Array): Uint8Array {
  assert(hashes.length % MERKLE_HASH_BYTES === 0, 'hashes are 32 bytes each');
  return encode(MESSAGE.hashes, ref, hashes);
}

/**
 * Reads a body. `hashes` borrows it and is empty for requests and rejects. Whether the numbers
 * make sense is for the reader to see: libtorrent asks for what is no power of two.
 *
 * @throws WireError WIRE_MESSAGE when it is too short or too long
 */
export function decodeHashes(body: Uint8Array): HashAnswer {
  if (body.length < HASH_REF_BYTES) refuse('is too short');
  const hashes = body.subarray(HASH_REF_BYTES);
  if (hashes.length > (HASHES_MAX + LAYERS_MAX) * MERKLE_HASH_BYTES) refuse('is too long');
  if (hashes.length % MERKLE_HASH_BYTES !== 0) refuse('ends within a hash');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const ref = {
    root: body.slice(0, MERKLE_HASH_BYTES),
    baseLayer: view.getUint32(MERKLE_HASH_BYTES),
    index: view.getUint32(MERKLE_HASH_BYTES + 4),
    length: view.getUint32(MERKLE_HASH_BYTES + 8),
    proofLayers: view.getUint32(MERKLE_HASH_BYTES + 12),
  };
  return { ref, hashes };
}

function encode(id: number, ref: HashRef, hashes: Uint8Array): Uint8Array {
  const message = new Uint8Array(5 + HASH_REF_BYTES + hashes.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, 1 + HASH_REF_BYTES + hashes.length);
  message[4] = id;
  message.set(ref.root, 5);
  const numbers = [ref.baseLayer, ref.index, ref.length, ref.proofLayers];
  for (const [nth, number] of numbers.entries()) view.setUint32(5 + 32 + 4 * nth, number);
  message.set(hashes, 5 + HASH_REF_BYTES);
  return message;
}

function refuse(what: string): never {
  throw new WireError('WIRE_MESSAGE', `a message about hashes ${what}`);
}
