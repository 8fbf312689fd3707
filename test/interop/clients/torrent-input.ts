/** Gives clients that learn peers only from trackers a tracker that names the one peer wanted. */
import { join } from 'node:path';
import { copyWithTracker } from '../../support/make-torrent.ts';
import { type MiniTracker, startMiniTracker } from '../../support/mini-tracker.ts';
import { type DownloadJob, makeHome } from './torrent-client.ts';

/** A torrent (path or magnet link) that leads to the job's source. */
export interface TrackedInput {
  readonly torrent: string;
  /** Ours to close after the download; null when the job came with a tracker or needs none. */
  readonly tracker: MiniTracker | null;
}

/** Rewrites the job's torrent or magnet link so that a tracker leads to its source. */
export async function inputWithTracker(job: DownloadJob): Promise<TrackedInput> {
  const { source, torrent } = job;
  if ('dhtNode' in source || 'nobody' in source) return { torrent, tracker: null };
  const tracker = 'peer' in source ? await startMiniTracker(job.host, [source.peer]) : null;
  const announceUrl = 'peer' in source ? (tracker?.announceUrl ?? '') : source.announceUrl;
  if (torrent.startsWith('magnet:')) {
    const withoutTrackers = torrent.replace(/&tr=[^&]*/g, '');
    return { torrent: `${withoutTrackers}&tr=${encodeURIComponent(announceUrl)}`, tracker };
  }
  const copy = join(await makeHome(job.homeFolder), 'input.torrent');
  await copyWithTracker(torrent, copy, announceUrl);
  return { torrent: copy, tracker };
}
