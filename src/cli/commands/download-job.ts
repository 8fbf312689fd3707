/** One torrent of a download: put in its place, downloaded, moved, seeded. */
import type { TorrentSource } from '../../daemon/index.ts';
import type { TorrentNode } from '../../daemon/node/index.ts';
import type { CommandPlace } from '../../daemon/places/index.ts';
import type { TorrentSpec } from '../../daemon/transfer/index.ts';
import type { Context } from '../context.ts';
import { type FileChoice, prioritiesOf } from '../file-choice.ts';
import { DownloadRun, type RunOptions } from './download-run.ts';
import { trackerChoice } from './node-options.ts';
import { type PlaceOptions, placeOf } from './place-options.ts';
import type { SeedingEnds, SeedingOptions } from './seeding-end.ts';
import type { TorrentWatch } from './torrent-watch.ts';

/** As commander collects them. */
export interface DownloadOptions extends RunOptions, FileChoice, SeedingOptions, PlaceOptions {
  readonly seed?: true;
  readonly sequential?: true;
  /** Seconds between looks for a newer version of a torrent that is followed by its key. */
  readonly updateEvery: number;
}

/** What every version of a followed torrent has in common. */
export interface DownloadTask {
  readonly context: Context;
  readonly options: DownloadOptions;
  readonly ends: SeedingEnds;
}

/** One torrent of a task. */
export interface DownloadJob {
  readonly source: TorrentSource;
  readonly place: CommandPlace;
  readonly trackers: Pick<TorrentSpec, 'useTrackers' | 'trackers'>;
  /** It is followed by its key: an older version may be in its place. */
  readonly isFollowed: boolean;
}

/** Where a job is done. */
export interface JobNode {
  readonly node: TorrentNode;
  readonly watch: TorrentWatch;
  /** Aborted when there is something newer to be done. */
  readonly newer: AbortSignal;
}

/** Finds out where a torrent is to be; nothing works on its files yet. */
export async function prepareJob(
  { options }: DownloadTask,
  source: TorrentSource,
): Promise<Omit<DownloadJob, 'isFollowed'>> {
  const trackers = await trackerChoice(source, options);
  return { source, trackers, place: await placeOf(source, options) };
}

/** Does one job to its end; null when something newer came in between. */
export async function runJob(
  { context, options, ends }: DownloadTask,
  { source, trackers, place, isFollowed }: DownloadJob,
  { node, watch, newer }: JobNode,
): Promise<DownloadRun | null> {
  const stop = context.catchStop();
  const run = new DownloadRun({ context, options, watch, node, place });
  const isSequential = options.sequential ?? false;
  const wishes = { ...trackers, isSequential, mustFit: isFollowed, ...prioritiesOf(options) };
  await run.begin(source, wishes);
  const isComplete = await run.complete(newer);
  if (newer.aborted) return run.leave();
  if (isComplete && place.isLeaving) {
    context.output.event('moving', { to: options.moveTo });
    context.output.progress(`complete; moving it to ${options.moveTo}`);
    await place.move(node.transfer, source.kind === 'magnet' ? await watch.metadata : null);
  }
  if (isComplete && options.seed) {
    run.tellComplete(`seeding until ${ends.until}`);
    const seeded = ends.wait(node, AbortSignal.any([stop.signal, newer]));
    await run.follow(Promise.race([seeded, watch.failed]));
    if (newer.aborted && !stop.signal.aborted) return run.leave();
  }
  if (!isComplete) context.exitCode = context.stopCode ?? 1;
  await run.finish(isComplete);
  return run;
}
