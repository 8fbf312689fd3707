/** Which trackers a torrent is announced to. Start with `edit-trackers.ts`. */
import type { TorrentSource } from '../torrent-source.ts';
import { readInput } from '../transfer/torrent-input.ts';
import type { TrackerTiers } from './edit-trackers.ts';

export { editTrackers, type TrackerEdit, type TrackerTiers } from './edit-trackers.ts';

/** The trackers that a torrent file or link names. Throws `WireError`. */
export function trackersOf(source: TorrentSource): TrackerTiers {
  return readInput(source).trackers;
}
