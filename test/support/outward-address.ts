/**
 * An address of this machine that is not loopback: some clients (Transmission) refuse to connect
 * to 127.0.0.0/8, and what they accept of themselves must be an address a peer could have.
 */
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

/** Added to `lo` where the machine has nothing better and we are root. Private, in nobody's way. */
const ADDED = { IPv4: '10.213.77.1/32', IPv6: 'fd00:213:77::1/128' } as const;
/** Loopback, link-local, and the ranges for documents (RFC 5737), which our own rules refuse. */
const UNUSABLE = /^(?:127|192\.0\.2|198\.51\.100|203\.0\.113|169\.254)\.|^::1$|^fe80:/;

/**
 * An address of this machine that is not loopback, or null when there is none and we may not add
 * one. The added address stays on `lo` until the machine restarts; adding it twice is harmless.
 */
export function findOutwardAddress(family: 'IPv4' | 'IPv6' = 'IPv4'): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find((one) => one.family === family && !UNUSABLE.test(one.address));
  if (own !== undefined) return own.address;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const add = spawnSync('ip', ['addr', 'add', ADDED[family], 'dev', 'lo']);
  const isThere = add.status === 0 || add.stderr?.toString().includes('File exists');
  return isThere ? (ADDED[family].split('/')[0] ?? null) : null;
}
