/**
 * An address of this machine that is not loopback: some clients (Transmission) refuse to connect
 * to 127.0.0.0/8, and what they accept of themselves must be an address a peer could have.
 */
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

/** Added to `lo` where the machine has nothing better and we are root. Private, in nobody's way. */
const ADDED_ADDRESS = '10.213.77.1';
/** Documentation ranges (RFC 5737), which our own address rules rightly call unusable. */
const UNUSABLE = /^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.|^169\.254\./;

/**
 * An IPv4 address of this machine outside 127.0.0.0/8, or null when there is none and we may not
 * add one. The added address stays on `lo` until the machine restarts; adding it twice is harmless.
 */
export function findOutwardAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find(
    ({ family, address }) =>
      family === 'IPv4' && !address.startsWith('127.') && !UNUSABLE.test(address),
  );
  if (own !== undefined) return own.address;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const add = spawnSync('ip', ['addr', 'add', `${ADDED_ADDRESS}/32`, 'dev', 'lo']);
  const isThere = add.status === 0 || add.stderr?.toString().includes('File exists');
  return isThere ? ADDED_ADDRESS : null;
}
