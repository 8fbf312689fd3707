/** `bidwidth download`: gets a torrent, and ends when it is here. */
import type { Turnover } from '../../daemon/node/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { type FileChoice, prioritiesOf } from '../file-choice.ts';
import { buyerTrade, DownloadRun, type RunOptions } from './download-run.ts';
import { nodeOptions, startMarketNode, trackerChoice } from './node-options.ts';
import { type PlaceOptions, placeOf } from './place-options.ts';
import { SeedingEnds, type SeedingOptions } from './seeding-end.ts';
import { TorrentWatch } from './torrent-watch.ts';

/** As commander collects them. */
export interface DownloadOptions extends RunOptions, FileChoice, SeedingOptions, PlaceOptions {
  readonly seed?: true;
  readonly sequential?: true;
}

/** Downloads, and with `--seed` goes on serving until stopped. */
export async function download(
  context: Context,
  text: string,
  options: DownloadOptions,
): Promise<void> {
  const stop = context.catchStop();
  const ends = new SeedingEnds(context, options);
  if (ends.areLimited && !options.seed) {
    throw new CliError(
      'CLI_USAGE',
      'limits of seeding need --seed: a download ends when it is here',
    );
  }
  const source = await context.readTorrent(text);
  const trackers = await trackerChoice(source, options);
  const watch = new TorrentWatch(context.output);
  const place = await placeOf(source, options);
  const node = await startMarketNode(context, nodeOptions(options, buyerTrade(options)), watch);
  const run = new DownloadRun({ context, options, watch, node, place });
  let turnover: Turnover;
  try {
    const isSequential = options.sequential ?? false;
    await run.begin(source, { ...trackers, isSequential, ...prioritiesOf(options) });
    const isComplete = await run.complete();
    if (isComplete && place.isLeaving) {
      context.output.event('moving', { to: options.moveTo });
      context.output.progress(`complete; moving it to ${options.moveTo}`);
      await place.move(node.transfer, source.kind === 'magnet' ? await watch.metadata : null);
    }
    if (isComplete && options.seed) {
      run.tellComplete(`seeding until ${ends.until}`);
      await run.follow(Promise.race([ends.wait(node, stop.signal), watch.failed]));
    }
    if (!isComplete) context.exitCode = context.stopCode ?? 1;
    await run.finish(isComplete);
  } finally {
    context.output.progress('');
    turnover = await node.stop();
  }
  run.summarize(turnover);
}
