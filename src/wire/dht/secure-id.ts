/** Node ids bound to IP addresses (BEP 42), so that nobody can choose where in the DHT to sit. */
import { type Random, randomInt } from '../../units/index.ts';
import { NODE_ID_BYTES, randomNodeId } from './node-id.ts';

/** Bits of each address byte that count, so that a whole network buys few ids (BEP 42). */
const V4_MASK: readonly number[] = [0x03, 0x0f, 0x3f, 0xff];
const V6_MASK: readonly number[] = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff];

/** Castagnoli's polynomial, reflected. */
const CRC32C_POLYNOMIAL = 0x82f63b78;

const CRC32C_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
  return crc >>> 0;
});

/** CRC-32C (Castagnoli) as an unsigned number. */
export function crc32c(view: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of view) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A random id that a node at `ip` (4 or 16 bytes, its address as others see it) may have. */
export function secureNodeId(ip: Uint8Array, random: Random): Uint8Array {
  const id = randomNodeId(random);
  const last = randomInt(random, 256);
  const crc = prefixHash(ip, last);
  id[0] = crc >>> 24;
  id[1] = (crc >>> 16) & 0xff;
  id[2] = ((crc >>> 8) & 0xf8) | ((id[2] ?? 0) & 0x07);
  id[NODE_ID_BYTES - 1] = last;
  return id;
}

/** Whether a node at `ip` (4 or 16 bytes) may have this id: 21 bits must be as BEP 42 says. */
export function isSecureNodeId(id: Uint8Array, ip: Uint8Array): boolean {
  const crc = prefixHash(ip, id[NODE_ID_BYTES - 1] ?? 0);
  return (
    id[0] === crc >>> 24 &&
    id[1] === ((crc >>> 16) & 0xff) &&
    ((id[2] ?? 0) & 0xf8) === ((crc >>> 8) & 0xf8)
  );
}

function prefixHash(ip: Uint8Array, last: number): number {
  const mask = ip.length === 4 ? V4_MASK : V6_MASK;
  const masked = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) masked[at] = (ip[at] ?? 0) & (mask[at] ?? 0);
  masked[0] = (masked[0] ?? 0) | ((last & 0x07) << 5);
  return crc32c(masked);
}
