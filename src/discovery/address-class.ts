/** What kind of place an IP address is: the open internet, this machine, or its network. */
import { assert } from '../units/index.ts';
import { parseIp, unmapIp } from '../wire/index.ts';

/**
 * `local` is this machine and its network: loopback, private, link-local and carrier-grade NAT
 * ranges. `unusable` is where nobody can be: unspecified, multicast, reserved, documentation.
 */
export type AddressClass = 'public' | 'local' | 'unusable';

type Range = readonly [first: Uint8Array, length: number, kind: AddressClass];

/** First address, prefix length, class: from the IANA special-purpose registries. */
const V4_RANGES: readonly Range[] = ranges([
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
]);

const V6_RANGES: readonly Range[] = ranges([
  ['::', 128, 'unusable'],
  ['::1', 128, 'local'],
  ['fc00::', 7, 'local'],
  ['fe80::', 10, 'local'],
  ['fec0::', 10, 'local'],
  ['ff00::', 8, 'unusable'],
  ['2001:db8::', 32, 'unusable'],
]);

/** IPv6 ranges that carry an IPv4 address, and at which byte: judged by what they carry. */
const CARRIERS: readonly (readonly [Uint8Array, number, number])[] = [
  [bytesOf('64:ff9b::'), 96, 12],
  [bytesOf('64:ff9b:1::'), 48, 12],
  [bytesOf('2002::'), 16, 2],
  [bytesOf('::'), 96, 12],
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

function classIn(address: Uint8Array, among: readonly Range[]): AddressClass {
  return among.find(([first, length]) => isIn(address, first, length))?.[2] ?? 'public';
}

function isIn(address: Uint8Array, first: Uint8Array, length: number): boolean {
  if (first.length !== address.length) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const mask = bit + 8 <= length ? 0xff : (0xff << (8 - (length - bit))) & 0xff;
    if ((((address[bit >> 3] ?? 0) ^ (first[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function ranges(
  of: readonly (readonly [first: string, length: number, kind: AddressClass])[],
): readonly Range[] {
  return of.map(([first, length, kind]) => [bytesOf(first), length, kind]);
}

function bytesOf(text: string): Uint8Array {
  const address = parseIp(text);
  assert(address, `'${text}' is an address`);
  return address;
}
