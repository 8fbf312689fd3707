/** `bidwidth download` of a link to a key: the newest version, and newer ones as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MutableTorrent } from '../../daemon/dht/index.ts';
import { DaemonError, DataFolder, type TorrentSource } from '../../daemon/index.ts';
import type {
  NodeListener,
  PinholeReach,
  Reach,
  TorrentNode,
  Turnover,
} from '../../daemon/node/index.ts';
import type { TorrentNews } from '../../daemon/transfer/index.ts';
import { toHex } from '../../units/index.ts';
import { CliError } from '../cli-error.ts';
import type { Output } from '../output.ts';
import { aborted } from '../waits.ts';
import { refuseHttpProxy } from './dht-options.ts';
import { type DownloadTask, prepareJob, runJob } from './download-job.ts';
import { buyerTrade, type DownloadRun } from './download-run.ts';
import { nodeOptions, startMarketNode } from './node-options.ts';
import { TorrentWatch } from './torrent-watch.ts';
import { wayOut } from './way-out.ts';

/** While nobody has told which torrent it is, the DHT is asked again after so long. */
const ASK_AGAIN_MS = 15_000;

/** Downloads what the key names; while that goes on, newer versions take its place. */
export async function downloadFollowed(task: DownloadTask, text: string): Promise<void> {
  const { context, options } = task;
  if (!options.dht) {
    throw new CliError('CLI_USAGE', 'the DHT tells what a key names: leave out --no-dht');
  }
  refuseHttpProxy(wayOut(options));
  const news = new LatestWatch(context.output);
  const node = await startMarketNode(context, nodeOptions(options, buyerTrade(options)), news);
  let run: DownloadRun | null = null;
  let turnover: Turnover;
  try {
    const torrent = await openTorrent(task, node, text);
    let source = await firstSource(task, torrent);
    while (source) {
      const job = { ...(await prepareJob(task, source)), isFollowed: true };
      const looking = new AbortController();
      const newer = new AbortController();
      void lookForNewer(task, torrent, { stop: looking.signal, newer });
      run = await runJob(task, job, { node, watch: news.watch, newer: newer.signal });
      looking.abort();
      if (run) break;
      news.begin();
      source = torrent.source;
    }
  } finally {
    context.output.progress('');
    turnover = await node.stop();
  }
  run?.summarize(turnover);
}

async function openTorrent(
  { options }: DownloadTask,
  node: TorrentNode,
  text: string,
): Promise<MutableTorrent> {
  const dht = node.dht?.service;
  if (!dht) throw new DaemonError('DAEMON_DHT_ALONE', `there is no DHT: ${node.dht?.failure}`);
  return MutableTorrent.open({ dht, text, folder: new DataFolder(options.dataDir).followed });
}

/** What to begin with; null when stopped before anybody said. */
async function firstSource(
  { context, options }: DownloadTask,
  torrent: MutableTorrent,
): Promise<TorrentSource | null> {
  const { output } = context;
  const { signal } = context.catchStop();
  const startedAt = performance.now();
  for (let round = 0; ; round++) {
    output.progress('asking the DHT which torrent it is');
    await Promise.race([torrent.look(), aborted(signal)]);
    const { source, version } = torrent;
    if (source && !signal.aborted) {
      if (version) tellVersion(output, torrent, 'the key names');
      else output.notice('nobody has what the key signed: taking what the link names');
      return source;
    }
    if (!signal.aborted && round === 0) {
      output.notice('nobody in the DHT has what this key signed; still trying');
    }
    const isLate = performance.now() - startedAt > (options.timeout ?? Infinity) * 1000;
    if (isLate)
      throw new CliError('CLI_TIMEOUT', 'the DHT did not tell in time which torrent it is');
    await sleep(ASK_AGAIN_MS, null, { signal }).catch(() => {});
    if (!signal.aborted) continue;
    context.exitCode = context.stopCode ?? 1;
    const error = 'stopped before anybody said which torrent it is';
    output.summary({ ok: false, code: 'CLI_STOPPED', error }, [error]);
    return null;
  }
}

/** Says when there is a newer version; aborts `newer` where it can take the place of this one. */
async function lookForNewer(
  { context, options }: DownloadTask,
  torrent: MutableTorrent,
  { stop, newer }: { readonly stop: AbortSignal; readonly newer: AbortController },
): Promise<void> {
  const { select, priority, rename, moveTo } = options;
  // Numbers of files mean other files in another version; what was moved is not where it comes.
  const isBound = [select, priority, rename, moveTo].some((option) => option !== undefined);
  while (await torrent.next(options.updateEvery * 1000, stop)) {
    const then = isBound ? 'start the command again to get it' : 'taking it';
    tellVersion(context.output, torrent, `a newer version is there, ${then}:`);
    if (!isBound) return newer.abort();
  }
}

function tellVersion(output: Output, { version }: MutableTorrent, text: string): void {
  if (!version) return;
  const { infoHash, sequence } = version;
  const hex = toHex(infoHash);
  output.event('version', { infoHash: hex, sequence });
  output.line(`${text} ${hex} (sequence ${sequence})`);
}

/** Hears a node whose torrent changes. */
class LatestWatch implements NodeListener {
  readonly #output: Output;
  /** Of the version at work. */
  watch: TorrentWatch;

  constructor(output: Output) {
    this.#output = output;
    this.watch = new TorrentWatch(output);
  }

  /** Another version comes. */
  begin(): void {
    this.watch = new TorrentWatch(this.#output);
  }

  onNews(torrent: string, news: TorrentNews): void {
    this.watch.onNews(torrent, news);
  }

  onNotice(line: string): void {
    this.watch.onNotice(line);
  }

  onReach(reach: Reach): void {
    this.watch.onReach(reach);
  }

  onPinholes(reach: PinholeReach): void {
    this.watch.onPinholes(reach);
  }

  onCrash(failure: Error): void {
    this.watch.onCrash(failure);
  }
}
