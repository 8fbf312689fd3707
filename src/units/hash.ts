/** Addresses and 32-byte hashes as chains write them: lower-case hex, so they can be keys. */
import type { Branded } from './brand.ts';
import { fromHex, toHex } from './hex.ts';
import { UnitsError } from './units-error.ts';

/** A 20-byte account or contract address, `0x` and 40 lower-case digits. */
export type Address = Branded<`0x${string}`, 'Address'>;

/** A 32-byte hash or identifier, `0x` and 64 lower-case digits. */
export type Hash32 = Branded<`0x${string}`, 'Hash32'>;

/** No account: never a valid payee or signer. */
export const ZERO_ADDRESS: Address = parseAddress(`0x${'0'.repeat(40)}`);

/** Reads an address of any letter case; a checksum in the case is not verified here. */
export function parseAddress(text: string): Address {
  if (!/^0x[0-9a-f]{40}$/i.test(text)) {
    throw new UnitsError('UNITS_HEX', `'${text.slice(0, 80)}' is not an address: 0x and 40 digits`);
  }
  return text.toLowerCase() as Address;
}

/** Reads a 32-byte hash. */
export function parseHash32(text: string): Hash32 {
  if (!/^0x[0-9a-f]{64}$/i.test(text)) {
    throw new UnitsError('UNITS_HEX', `'${text.slice(0, 80)}' is not a hash: 0x and 64 digits`);
  }
  return text.toLowerCase() as Hash32;
}

/** The address in 20 bytes. */
export function addressFromBytes(view: Uint8Array): Address {
  return parseAddress(`0x${toHex(view)}`);
}

/** The hash in 32 bytes. */
export function hash32FromBytes(view: Uint8Array): Hash32 {
  return parseHash32(`0x${toHex(view)}`);
}

/** The bytes of an address or hash. */
export function hashBytes(hash: Address | Hash32): Uint8Array {
  return fromHex(hash);
}
