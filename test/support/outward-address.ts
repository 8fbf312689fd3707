/**
 * An address of this machine that is not loopback: some clients (Transmission) refuse to connect
 * to 127.0.0.0/8, and what they accept of themselves must be an address a peer could have.
 */
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

/** Added to `lo` where the machine has nothing better and we are root. Private, in nobody's way. */
const ADDED = { IPv4: '10.213.77.1', IPv6: 'fd00:213:77::1' } as const;
/** Loopback, link-local, and the ranges for documents (RFC 5737), which our own rules refuse. */
const UNUSABLE = /^(?:127|192\.0\.2|198\.51\.100|203\.0\.113|169\.254)\.|^::1$|^fe80:/;

/**
 * An address of this machine that is not loopback, or null when there is none and we may not add
 * one. An added address stays on `lo` until the machine restarts; adding it twice is harmless.
 */
export function findOutwardAddress(family: 'IPv4' | 'IPv6' = 'IPv4'): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find((one) => one.family === family && !UNUSABLE.test(one.address));
  if (own !== undefined) return own.address;
  return addToLoopback(ADDED[family]);
}

/**
 * Three addresses of this machine, for clients that take peers of one address for one peer. They
 * are outward ones where asked, which only root gets; else null.
 */
export function findThreeAddresses(areOutward: boolean): readonly [string, string, string] | null {
  if (!areOutward) return ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const [one, two, three] = ['10.213.77.1', '10.213.77.2', '10.213.77.3'].map(addToLoopback);
  return one && two && three ? [one, two, three] : null;
}

/** The address once it is there; null where we may not add it. */
function addToLoopback(address: string): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const whole = `${address}/${address.includes(':') ? 128 : 32}`;
  spawnSync('ip', ['addr', 'add', whole, 'dev', 'lo']);
  // It may have been there: what `ip` says of that differs.
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some((one) => one.address === address) ? address : null;
}
