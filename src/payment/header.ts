/** The two hashes by which the contract knows an allotment: its id and its header. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hash32, hash32FromBytes } from '../units/index.ts';
import { Cursor } from './cursor.ts';
import type { AllotmentHeader } from './types.ts';

/**
 * `keccak256(abi.encode(header))`: what `head[allotment]` of the contract holds while it is open.
 */
export function headerHash(header: AllotmentHeader): Hash32 {
  const words = new Cursor(7 * 32);
  words.putHash(12, header.payer);
  words.putHash(32, header.root);
  words.putUint128(80, header.sum);
  words.putUint64(120, header.expiry);
  words.putHash(140, header.signer);
  words.putUint8(191, header.depth);
  words.putUint8(223, header.laneCount);
  return hash32FromBytes(keccak_256(words.bytes));
}

/** `keccak256(abi.encode(payer, salt))`. A payer uses a salt once, ever. */
export function allotmentId(payer: Address, salt: Hash32): Hash32 {
  const words = new Cursor(2 * 32);
  words.putHash(12, payer);
  words.putHash(32, salt);
  return hash32FromBytes(keccak_256(words.bytes));
}
