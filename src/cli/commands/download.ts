/** `bidwidth download`: gets a torrent, and ends when it is here. */
import type { Turnover } from '../../daemon/node/index.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { type DownloadOptions, prepareJob, runJob } from './download-job.ts';
import { buyerTrade, type DownloadRun } from './download-run.ts';
import { nodeOptions, startMarketNode } from './node-options.ts';
import { SeedingEnds } from './seeding-end.ts';
import { TorrentWatch } from './torrent-watch.ts';

/** Downloads, and with `--seed` goes on serving until stopped. */
export async function download(
  context: Context,
  text: string,
  options: DownloadOptions,
): Promise<void> {
  context.catchStop();
  const ends = new SeedingEnds(context, options);
  if (ends.areLimited && !options.seed) {
    throw new CliError(
      'CLI_USAGE',
      'limits of seeding need --seed: a download ends when it is here',
    );
  }
  const task = { context, options, ends };
  if (/^magnet:.*btpk/is.test(text)) {
    const { downloadFollowed } = await import('./followed-download.ts');
    return downloadFollowed(task, text);
  }
  const source = await context.readTorrent(text);
  const job = { ...(await prepareJob(task, source)), isFollowed: false };
  const watch = new TorrentWatch(context.output);
  const node = await startMarketNode(context, nodeOptions(options, buyerTrade(options)), watch);
  let run: DownloadRun | null;
  let turnover: Turnover;
  try {
    run = await runJob(task, job, { node, watch, newer: new AbortController().signal });
  } finally {
    context.output.progress('');
    turnover = await node.stop();
  }
  run?.summarize(turnover);
}
