/** Tracker URLs: their parts, the scrape URL that follows from one, and how one is shown. */
import { bracketed } from '../../units/index.ts';
import { parseIp } from './endpoint.ts';

/** Protocols we announce over. WebSocket trackers serve browsers only. */
export type TrackerScheme = 'http' | 'https' | 'udp';

/** A tracker URL taken apart. */
export interface TrackerUrl {
  readonly scheme: TrackerScheme;
  /** `user:password` before the host, still percent-encoded; empty when there is none. */
  readonly userInfo: string;
  /** A name or a literal address, IPv6 without brackets, lower case. */
  readonly host: string;
  readonly port: number;
  /** Begins with `/`, or is empty. */
  readonly path: string;
  /** What follows `?`, without it. */
  readonly query: string;
}

/**
 * Host names are ASCII only: what looks like one thing to us and another to a resolver (full-width
 * digits, percent-encoding, backslashes) could slip past the checks on addresses.
 */
const URL_FORM =
  /^(https?|udp):\/\/(?:([^/?#@\s]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?(\/[^?#\s]*)?(?:\?([^#\s]*))?(?:#\S*)?$/i;

/** Longest URL we announce to; torrents have been seen with megabytes of junk in this field. */
const URL_CHARACTERS_MAX = 2048;

/** Takes a tracker URL apart; null for other protocols, a UDP URL without port, or nonsense. */
export function parseTrackerUrl(text: string): TrackerUrl | null {
  const match = text.length <= URL_CHARACTERS_MAX ? URL_FORM.exec(text.trim()) : null;
  if (!match) return null;
  const scheme = (match[1] ?? '').toLowerCase() as TrackerScheme;
  const written = (match[3] ?? '').toLowerCase();
  const host = written.startsWith('[') ? written.slice(1, -1) : written;
  if (written.startsWith('[') && parseIp(host) === null) return null;
  const byDefault = { http: 80, https: 443, udp: 0 }[scheme];
  const port = match[4] === undefined ? byDefault : Number(match[4]);
  if (port < 1 || port > 65535) return null;
  const [userInfo, path, query] = [match[2] ?? '', match[5] ?? '', match[6] ?? ''];
  return { scheme, userInfo, host, port, path, query };
}

/** The URL in one string, without user information. */
export function formatTrackerUrl(url: TrackerUrl): string {
  return `${trackerOrigin(url)}${url.path}${url.query === '' ? '' : `?${url.query}`}`;
}

/** `scheme://host[:port]`: what the user is shown, since paths of private trackers are secret. */
export function trackerOrigin(url: TrackerUrl): string {
  const isDefault = url.port === { http: 80, https: 443, udp: 0 }[url.scheme];
  return `${url.scheme}://${bracketed(url.host)}${isDefault ? '' : `:${url.port}`}`;
}

/**
 * Where to scrape (BEP 48): `announce` at the start of the last path segment becomes `scrape`.
 * Null when there is none: this tracker cannot be scraped. UDP needs no such URL.
 */
export function scrapeUrlOf(url: TrackerUrl): TrackerUrl | null {
  const at = url.path.lastIndexOf('/') + 1;
  if (!url.path.startsWith('announce', at)) return null;
  return { ...url, path: `${url.path.slice(0, at)}scrape${url.path.slice(at + 8)}` };
}
