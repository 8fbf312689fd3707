/** A torrent's trackers as users change them: tiers stay, what is added comes behind. */
import { shownTracker } from '../../discovery/index.ts';
import { parseTrackerUrl } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';

/** Announce URLs in the order of their tiers (BEP 12). */
export type TrackerTiers = readonly (readonly string[])[];

/** A change of a torrent's trackers. */
export type TrackerEdit =
  /** Each in a tier of its own behind all others, or together in one that is there, from 0. */
  | { readonly kind: 'add'; readonly urls: readonly string[]; readonly tier?: number }
  | { readonly kind: 'remove'; readonly urls: readonly string[] }
  /** In the same place. */
  | { readonly kind: 'replace'; readonly from: string; readonly to: string };

/**
 * The tiers after an edit. Trackers that are there already are not added again. Throws
 * DAEMON_TRACKER_INVALID for what is no announce URL, DAEMON_TRACKER_UNKNOWN for one that is not
 * there.
 */
export function editTrackers(tiers: TrackerTiers, edit: TrackerEdit): TrackerTiers {
  switch (edit.kind) {
    case 'add': {
      const fresh = [...new Set(edit.urls.map(checked))].filter((url) => !isIn(tiers, url));
      if (edit.tier === undefined || tiers[edit.tier] === undefined) {
        return [...tiers, ...fresh.map((url) => [url])];
      }
      return tiers.map((tier, nth) => (nth === edit.tier ? [...tier, ...fresh] : tier));
    }
    case 'remove':
      for (const url of edit.urls) mustBeIn(tiers, url);
      return without(tiers, edit.urls);
    case 'replace': {
      const to = checked(edit.to);
      mustBeIn(tiers, edit.from);
      const others = edit.from === to ? tiers : without(tiers, [to]);
      return others.map((tier) => tier.map((url) => (url === edit.from ? to : url)));
    }
  }
}

function without(tiers: TrackerTiers, urls: readonly string[]): TrackerTiers {
  const left = tiers.map((tier) => tier.filter((url) => !urls.includes(url)));
  return left.filter((tier) => tier.length > 0);
}

function isIn(tiers: TrackerTiers, url: string): boolean {
  return tiers.some((tier) => tier.includes(url));
}

function mustBeIn(tiers: TrackerTiers, url: string): void {
  if (isIn(tiers, url)) return;
  throw new DaemonError(
    'DAEMON_TRACKER_UNKNOWN',
    `the torrent has no tracker ${shownTracker(url)} of that URL`,
  );
}

/** Messages never show a path: it may be a passkey. */
function checked(text: string): string {
  const url = text.trim();
  if (parseTrackerUrl(url)) return url;
  throw new DaemonError(
    'DAEMON_TRACKER_INVALID',
    `'${shownTracker(url)}' is not a tracker's URL: use one like http://host/announce or ` +
      'udp://host:port',
  );
}
