/**
 * Which tracker addresses may be asked. A torrent's author chooses its tracker URLs, and must
 * not be able to make us send requests to services on this machine or its network (SSRF).
 */
import type { TrackerUrl } from '../wire/index.ts';
import { classifyAddress } from './address-class.ts';

/** A target to judge: an announce URL, one address it resolved to, who sent us there. */
export interface TrackerTarget {
  /** The announce URL, also when a scrape URL derived from it is asked. */
  readonly url: TrackerUrl;
  /** A literal address of `url.host`; null when only the proxy that we go through knows it. */
  readonly address: string | null;
  /** Address of the tracker that redirected here; null for the torrent's own URL. */
  readonly redirectedFrom: string | null;
}

/** Parameters of an announce: a URL that brings its own would let its author forge ours. */
const ANNOUNCE_PARAMETERS: ReadonlySet<string> = new Set([
  'info_hash',
  'peer_id',
  'port',
  'uploaded',
  'downloaded',
  'left',
  'corrupt',
  'event',
  'key',
]);

/**
 * Why this address may not be asked, as the end of a sentence, or null when it may.
 *
 * A tracker on this machine or its network is asked only with path `/announce` and no query of
 * its own, and never because a public tracker redirected to it. The rules are libtorrent's
 * (`ssrf_mitigation`, its audit of 2020), extended to the whole local network as it did later.
 */
export function refusalOfTracker(target: TrackerTarget): string | null {
  const { url, address, redirectedFrom } = target;
  const kind = address === null ? 'public' : classifyAddress(address);
  if (kind === 'unusable') return `its address ${address} cannot be a tracker's`;
  if (url.scheme !== 'udp' && hasAnnounceParameter(url.query)) {
    return 'its URL already contains announce parameters';
  }
  if (kind === 'public') return null;
  if (redirectedFrom !== null && classifyAddress(redirectedFrom) !== 'local') {
    return `it redirects into the local network (${address})`;
  }
  if (url.scheme === 'udp') return null;
  if (!/^\/announce(?:\.php)?\/?$/.test(url.path) || url.query !== '') {
    return `trackers on the local network (${address}) must have the plain path /announce`;
  }
  return null;
}

function hasAnnounceParameter(query: string): boolean {
  return query
    .split('&')
    .some((pair) => ANNOUNCE_PARAMETERS.has(pair.split('=', 1)[0]?.toLowerCase() ?? ''));
}
