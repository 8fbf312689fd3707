/** What kind of place an IP address is: the open internet, this machine, or its network. */
import { parseIp, unmapIp } from '../wire/index.ts';

/**
 * `local` is this machine and its network: loopback, private, link-local and carrier-grade NAT
 * ranges. `unusable` is where nobody can be: unspecified, multicast, reserved, documentation.
 */
export type AddressClass = 'public' | 'local' | 'unusable';

/** [first bytes as a number, prefix length, class], from the IANA special-purpose registries. */
const V4_RANGES: readonly (readonly [string, number, AddressClass])[] = [
  ['0.0.0.0', 8, 'unusable'],
  ['10.0.0.0', 8, 'local'],
  ['100.64.0.0', 10, 'local'],
  ['127.0.0.0', 8, 'local'],
  ['169.254.0.0', 16, 'local'],
  ['172.16.0.0', 12, 'local'],
  ['192.0.2.0', 24, 'unusable'],
  ['192.168.0.0', 16, 'local'],
  ['198.18.0.0', 15, 'local'],
  ['198.51.100.0', 24, 'unusable'],
  ['203.0.113.0', 24, 'unusable'],
  ['224.0.0.0', 3, 'unusable'],
];

const V6_RANGES: readonly (readonly [string, number, AddressClass])[] = [
  ['::', 128, 'unusable'],
  ['::1', 128, 'local'],
  ['fc00::', 7, 'local'],
  ['fe80::', 10, 'local'],
  ['fec0::', 10, 'local'],
  ['ff00::', 8, 'unusable'],
  ['2001:db8::', 32, 'unusable'],
];

/** IPv6 ranges that carry an IPv4 address, and at which byte: judged by what they carry. */
const CARRIERS: readonly (readonly [string, number, number])[] = [
  ['64:ff9b::', 96, 12],
  ['64:ff9b:1::', 48, 12],
  ['2002::', 16, 2],
  ['::', 96, 12],
];

/** The class of a literal address; anything that is not one is `unusable`. */
export function classifyAddress(host: string): AddressClass {
  const parsed = parseIp(host);
  if (!parsed) return 'unusable';
  const address = unmapIp(parsed);
  if (address.length === 4) return classIn(address, V4_RANGES);
  const own = classIn(address, V6_RANGES);
  if (own !== 'public') return own;
  const carrier = CARRIERS.find(([prefix, length]) => isIn(address, prefix, length));
  if (!carrier) return 'public';
  return classIn(address.subarray(carrier[2], carrier[2] + 4), V4_RANGES);
}

function classIn(
  address: Uint8Array,
  ranges: readonly (readonly [string, number, AddressClass])[],
): AddressClass {
  return ranges.find(([prefix, length]) => isIn(address, prefix, length))?.[2] ?? 'public';
}

function isIn(address: Uint8Array, prefix: string, length: number): boolean {
  const first = parseIp(prefix);
  if (!first || first.length !== address.length) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const mask = bit + 8 <= length ? 0xff : (0xff << (8 - (length - bit))) & 0xff;
    if ((((address[bit >> 3] ?? 0) ^ (first[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
