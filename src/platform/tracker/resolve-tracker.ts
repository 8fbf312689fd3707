/** From a tracker's host name to the addresses we may ask, checked before any is asked. */
import { refusalOfTracker } from '../../discovery/index.ts';
import { type Family, formatIp, parseIp, type TrackerUrl, unmapIp } from '../../wire/index.ts';
import { TrackerError } from './tracker-error.ts';

/** Looks a host name up; null when that is left to a proxy. Production uses `Egress.resolve`. */
export type ResolveHost = (host: string) => Promise<readonly string[] | null>;

/** Permitted addresses of a tracker in one family, at least one; or its name, for a proxy. */
export interface TrackerAddresses {
  readonly family: Family;
  readonly addresses: readonly string[];
}

/** Addresses tried of one name; more would be a way to make us knock on many doors. */
const ADDRESSES_MAX = 8;

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
  const { host } = url;
  const found = parseIp(host) ? [host] : await resolve(host);
  const allowed = allowedAddresses({ host, found }, (address) =>
    refusalOfTracker({ url, address, redirectedFrom }),
  );
  if (allowed.ok) return allowed.targets;
  throw new TrackerError('TRACKER_FORBIDDEN', allowed.refusal);
}

/** Addresses that may be asked, by family; or why none may, as the end of a sentence. */
export type AllowedAddresses =
  | { readonly ok: true; readonly targets: readonly TrackerAddresses[] }
  | { readonly ok: false; readonly refusal: string };

/** A name, and the addresses it was found to have; null when a proxy will look it up. */
export interface FoundHost {
  readonly host: string;
  readonly found: readonly string[] | null;
}

/** Of a name's addresses the first few that `refusalOf` lets pass; for a proxy the name itself. */
export function allowedAddresses(
  { host, found }: FoundHost,
  refusalOf: (address: string | null) => string | null,
): AllowedAddresses {
  if (found === null) {
    const reason = refusalOf(null);
    if (reason !== null) return { ok: false, refusal: `is not asked: ${reason}` };
    return { ok: true, targets: [{ family: 4, addresses: [host] }] };
  }
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
