/** Asks a torrent's trackers how large the swarm is. */
import { Egress, type EgressOptions } from '../../platform/egress/index.ts';
import { TrackerError, TrackerTransport } from '../../platform/tracker/index.ts';
import { AppError } from '../../units/index.ts';
import { parseMagnet, parseMetainfo, parseTrackerUrl, type TrackerUrl } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { digests } from '../torrents/describe.ts';

/** What one tracker said: its counts, or why there are none. */
export interface ScrapeResult {
  readonly tracker: string;
  readonly seeders: number | null;
  readonly leechers: number | null;
  /** How often it was downloaded, as the tracker counts. */
  readonly completed: number | null;
  /** One line; null when there are counts. */
  readonly problem: string | null;
}

/** A tracker has so long to answer. */
const PATIENCE_MS = 20_000;

/** Trackers asked at most. */
const TRACKERS_MAX = 50;

/** Asks all of them at once. Throws DAEMON_TORRENT_UNSUPPORTED when there is no tracker to ask. */
export async function scrapeTrackers(
  source: TorrentSource,
  way: EgressOptions,
): Promise<readonly ScrapeResult[]> {
  const { infoHash, trackers } = read(source);
  if (trackers.length === 0) {
    throw new DaemonError('DAEMON_TORRENT_UNSUPPORTED', 'this torrent names no tracker to ask');
  }
  const transport = new TrackerTransport({
    egress: new Egress(way, () => {}),
    userAgent: 'Bidwidth 0.1.0',
  });
  try {
    const asked = trackers.slice(0, TRACKERS_MAX);
    return await Promise.all(asked.map((text) => scrape(transport, text, infoHash)));
  } finally {
    transport.close();
  }
}

async function scrape(
  transport: TrackerTransport,
  tracker: string,
  infoHash: Uint8Array,
): Promise<ScrapeResult> {
  const nothing = { tracker, seeders: null, leechers: null, completed: null };
  const url = parseTrackerUrl(tracker);
  if (url === null) return { ...nothing, problem: 'is of a kind we cannot ask' };
  try {
    const outcome = await ask(transport, url, infoHash);
    if (!outcome.ok) return { ...nothing, problem: `refused: ${outcome.refusal.reason}` };
    if (outcome.reply === null) return { ...nothing, problem: 'does not say' };
    const { seeders, leechers, completed } = outcome.reply;
    return { tracker, seeders, leechers, completed, problem: null };
  } catch (failure) {
    return { ...nothing, problem: reasonOf(failure) };
  }
}

async function ask(
  transport: TrackerTransport,
  url: TrackerUrl,
  infoHash: Uint8Array,
): ReturnType<TrackerTransport['scrape']> {
  const [target] = await transport.resolve(url);
  if (!target) throw new TrackerError('TRACKER_FAILED', 'has no address');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return transport.scrape({ url, target, onLate: () => {}, signal }, infoHash);
}

function reasonOf(failure: unknown): string {
  if (failure instanceof AppError) return failure.message;
  return `did not answer: ${failure instanceof Error ? failure.message : String(failure)}`;
}

function read(source: TorrentSource): {
  readonly infoHash: Uint8Array;
  readonly trackers: readonly string[];
} {
  if (source.kind === 'magnet') {
    const { infoHashV1, infoHashV2, trackers } = parseMagnet(source.text);
    return { infoHash: swarmHash(infoHashV1, infoHashV2), trackers };
  }
  const { infoHashV1, infoHashV2, trackers } = parseMetainfo(source.bytes, digests);
  return { infoHash: swarmHash(infoHashV1, infoHashV2), trackers: trackers.flat() };
}

/** What trackers know a torrent by: of a v2-only one the first 20 bytes of its hash (BEP 52). */
function swarmHash(v1: Uint8Array | null, v2: Uint8Array | null): Uint8Array {
  return v1 ?? v2?.subarray(0, 20) ?? new Uint8Array(20);
}
