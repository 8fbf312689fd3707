/** The trackers of one torrent in tiers, and the order they are tried in (BEP 12). */
import { type Instant, instant, type Random, shuffle } from '../units/index.ts';
import {
  type AnnounceEvent,
  parseTrackerUrl,
  type TrackerUrl,
  trackerOrigin,
} from '../wire/index.ts';

/** One tracker as we know it. Changed only by `TrackerClient`. */
export interface Tracker {
  readonly url: TrackerUrl;
  /** As the torrent wrote it: its name in events and effects. */
  readonly name: string;
  /** The event of the announce under way; null when there is none. */
  inFlight: AnnounceEvent | null;
  /** The announce under way takes long: the next tracker of the tier may be tried. */
  isLate: boolean;
  /** Whether it has accepted `started`, so that it must hear `stopped`. */
  isStarted: boolean;
  isCompletedPending: boolean;
  /** Never to be asked again: it said so (BEP 31). */
  isDisabled: boolean;
  /** In a row. */
  failures: number;
  nextAt: Instant;
  lastAt: Instant;
  minIntervalMs: number;
  trackerId: string | null;
}

/** A tracker entry that cannot be used, and why, in one line. */
export interface UnusableTracker {
  readonly name: string;
  readonly message: string;
}

/** Trackers kept of one torrent; some list thousands. */
export const TRACKERS_MAX = 100;

/** Tiers in the order they are tried, shuffled inside each (BEP 12), without repetitions. */
export function buildTiers(
  lists: readonly (readonly string[])[],
  random: Random,
): { readonly tiers: Tracker[][]; readonly unusable: readonly UnusableTracker[] } {
  const seen = new Set<string>();
  const unusable: UnusableTracker[] = [];
  const tiers: Tracker[][] = [];
  for (const list of lists) {
    const tier: Tracker[] = [];
    for (const raw of list) {
      const name = raw.trim();
      if (name === '' || seen.has(name) || seen.size >= TRACKERS_MAX) continue;
      seen.add(name);
      const url = parseTrackerUrl(name);
      if (url) tier.push(newTracker(name, url));
      else unusable.push({ name, message: explainUnusable(name) });
    }
    if (tier.length > 0) tiers.push(shuffle(tier, random));
  }
  return { tiers, unusable };
}

/** A tracker that works is tried first from now on (BEP 12). Changes the tier in place. */
export function moveToFront(tier: Tracker[], tracker: Tracker): void {
  const at = tier.indexOf(tracker);
  if (at <= 0) return;
  tier.splice(at, 1);
  tier.unshift(tracker);
}

/** The tracker of this tier to announce to now: the first that works, or that is due a retry. */
export function pickTracker(
  tier: readonly Tracker[],
  now: Instant,
): { readonly isServed: boolean; readonly due: Tracker | null } {
  for (const tracker of tier) {
    if (tracker.isDisabled) continue;
    if (tracker.inFlight !== null) {
      if (tracker.isLate) continue;
      return { isServed: true, due: null };
    }
    const isDue = now >= tracker.nextAt;
    if (isDue) return { isServed: true, due: tracker };
    if (tracker.failures === 0) return { isServed: true, due: null };
  }
  return { isServed: false, due: null };
}

/** A tracker we have not talked to. */
export function newTracker(name: string, url: TrackerUrl): Tracker {
  return {
    url,
    name,
    inFlight: null,
    isLate: false,
    isStarted: false,
    isCompletedPending: false,
    isDisabled: false,
    failures: 0,
    nextAt: instant(-Infinity),
    lastAt: instant(-Infinity),
    minIntervalMs: 0,
    trackerId: null,
  };
}

/** What people are shown of a tracker's URL, right or wrong: no path, which may be a secret. */
export function shownTracker(name: string): string {
  const url = parseTrackerUrl(name);
  if (url) return trackerOrigin(url);
  const [, scheme = '', host = ''] =
    /^([a-z][a-z0-9+.-]*:\/*)?(?:[^/?#]*@)?([^/?#]*)/i.exec(name) ?? [];
  const shown = `${scheme}${host}`.slice(0, 80);
  return shown.length < name.length ? `${shown}…` : shown;
}

/** Parts of a URL shorter than this are words, not keys. */
const SECRET_CHARACTERS_MIN = 8;

/** What a tracker says, without what its URL keeps secret: some repeat the passkey. */
export function withoutSecrets(text: string, { path, query, userInfo }: TrackerUrl): string {
  const parts = `${path}&${query}&${userInfo}`.split(/[/&=:?]/);
  const secrets = parts.filter(
    (part) => part.length >= SECRET_CHARACTERS_MIN && !part.startsWith('announce'),
  );
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}

function explainUnusable(name: string): string {
  const shown = shownTracker(name);
  return /^wss?:/i.test(name)
    ? `tracker ${shown} is for browsers only (WebSocket) and is left out`
    : `tracker '${shown}' is not a URL like http://host/announce or udp://host:port`;
}
