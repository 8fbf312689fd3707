/** The address that everything leaves from, when the user named one or an interface. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { PlatformError } from '../platform-error.ts';

/**
 * The literal address of `--bind`: itself, or that of an interface by this name, IPv4 before IPv6.
 *
 * @throws PlatformError PLATFORM_BIND for what is neither, or no interface that is up.
 */
export function addressOfBind(text: string): string {
  if (isIP(text) > 0) return text;
  const all = networkInterfaces();
  const addresses = all[text];
  if (addresses === undefined) {
    const names = Object.keys(all).join(', ');
    throw badBind(text, `is no address and no interface that is up (there are ${names})`);
  }
  const usable = addresses.filter(({ scopeid }) => !scopeid);
  const own = usable.find(({ family }) => family === 'IPv4') ?? usable[0];
  if (own) return own.address;
  throw badBind(text, 'is an interface without an address');
}

/**
 * Whether this machine still has `address`, on an interface that is up. An interface that is down
 * keeps its address, and the system would send from it by another one.
 */
export function hasAddress(address: string): boolean {
  if (ALWAYS_HERE.test(address)) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some((one) => one.address === address),
  );
}

/** Loopback, all of which is ours, and "any address". */
const ALWAYS_HERE = /^(?:127\.|0\.0\.0\.0$|::1?$)/;

/** Whether nobody but this machine can be reached from `address`. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function badBind(name: string, what: string): PlatformError {
  return new PlatformError('PLATFORM_BIND', `--bind: '${name}' ${what}`, { name });
}
