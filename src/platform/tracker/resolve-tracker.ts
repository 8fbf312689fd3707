/** From a tracker's host name to the addresses we may ask, checked before any is asked. */
import { lookup } from 'node:dns/promises';
import { refusalOfTracker } from '../../discovery/index.ts';
import { type Family, formatIp, parseIp, type TrackerUrl, unmapIp } from '../../wire/index.ts';
import { TrackerError } from './tracker-error.ts';

/** Looks a host name up; production uses the system's resolver. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** Permitted addresses of a tracker in one family, at least one. */
export interface TrackerAddresses {
  readonly family: Family;
  readonly addresses: readonly string[];
}

/** Addresses tried of one name; more would be a way to make us knock on many doors. */
const ADDRESSES_MAX = 8;

/** Every address the system knows, in its order of preference. */
export async function resolveBySystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/**
 * The addresses of `url` that may be asked, by family. The caller connects to these and never
 * looks the name up again, so that a second answer cannot slip past the check (DNS rebinding).
 *
 * @throws TrackerError TRACKER_FORBIDDEN when the guard allows none; what the resolver throws.
 */
export async function resolveTracker(
  url: TrackerUrl,
  redirectedFrom: string | null,
  resolve: ResolveHost,
): Promise<readonly TrackerAddresses[]> {
  const found = parseIp(url.host) ? [url.host] : await resolve(url.host);
  const allowed = allowedAddresses(found, (address) =>
    refusalOfTracker({ url, address, redirectedFrom }),
  );
  if (allowed.ok) return allowed.targets;
  throw new TrackerError('TRACKER_FORBIDDEN', allowed.refusal);
}

/** Addresses that may be asked, by family; or why none may, as the end of a sentence. */
export type AllowedAddresses =
  | { readonly ok: true; readonly targets: readonly TrackerAddresses[] }
  | { readonly ok: false; readonly refusal: string };

/** Of the addresses a name was found to have, the first few that `refusalOf` lets pass. */
export function allowedAddresses(
  found: readonly string[],
  refusalOf: (address: string) => string | null,
): AllowedAddresses {
  let refusal = 'has a host name without an address';
  const allowed: { readonly address: string; readonly family: Family }[] = [];
  for (const text of found.slice(0, ADDRESSES_MAX)) {
    const parsed = parseIp(text);
    if (!parsed) continue;
    const bytes = unmapIp(parsed);
    const address = formatIp(bytes);
    const reason = refusalOf(address);
    if (reason === null) allowed.push({ address, family: bytes.length === 4 ? 4 : 6 });
    else refusal = `is not asked: ${reason}`;
  }
  if (allowed.length === 0) return { ok: false, refusal };
  const families = [...new Set(allowed.map(({ family }) => family))];
  const targets = families.map((family) => {
    const addresses = allowed.filter((one) => one.family === family).map((one) => one.address);
    return { family, addresses };
  });
  return { ok: true, targets };
}
