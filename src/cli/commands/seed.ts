/** `bidwidth seed`: serves a torrent until it is stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TorrentNode, Turnover } from '../../daemon/node/index.ts';
import { assert, formatSize } from '../../units/index.ts';
import type { Ask } from '../arguments.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import {
  type NetworkOptions,
  nodeOptions,
  startMarketNode,
  type Trade,
  trackerChoice,
} from './node-options.ts';
import { placeOf } from './place-options.ts';
import { SeedingEnds, type SeedingOptions } from './seeding-end.ts';
import { progressFacts, shortBtt, uploadLine } from './status-line.ts';
import { TorrentWatch } from './torrent-watch.ts';

/** As commander collects them. */
export interface SeedOptions extends NetworkOptions, SeedingOptions {
  readonly from: string;
  readonly ask?: Ask;
  readonly super?: true;
}

const PROGRESS_MS = 1_000;

/** Seeds; stopping it is how it is meant to end, so the exit code is then 0. */
export async function seed(context: Context, text: string, options: SeedOptions): Promise<void> {
  const { output } = context;
  const stop = context.catchStop();
  const ends = new SeedingEnds(context, options);
  const source = await context.readTorrent(text);
  if (source.kind === 'magnet') {
    throw new CliError('CLI_USAGE', 'seeding needs the torrent file, not a magnet link');
  }
  const trackers = await trackerChoice(source, options);
  const watch = new TorrentWatch(output);
  const place = await placeOf(source, { to: options.from, dataDir: options.dataDir });
  const node = await startMarketNode(context, nodeOptions(options, tradeOf(options)), watch);
  let summarize: (turnover: Turnover) => void;
  let turnover: Turnover;
  try {
    const { port } = node.transfer;
    output.event('listening', { port });
    const infoHash = await node.transfer.add({
      source,
      root: place.root,
      names: place.names,
      peers: options.peer ?? [],
      ...trackers,
      mustBeComplete: true,
      isSuperSeed: options.super ?? false,
      mustRecheck: options.recheck ?? false,
    });
    const startedAt = performance.now();
    const isStarted = await Promise.race([
      watch.complete.then(() => true),
      stop.wait().then(() => false),
    ]);
    if (isStarted) {
      output.event('seeding', { infoHash });
      const price = options.ask ? '' : ' for free (--ask BTT sells to peers that bid)';
      const where = port > 0 ? `on port ${port}` : 'to peers that we can dial';
      output.line(`seeding ${where} until ${ends.until}${price}`);
    }
    const over = ends.wait(node, stop.signal);
    await Promise.race([over, showUntil(stop.signal, { context, node }), watch.failed]);
    summarize = await lastWords(context, { node, infoHash, startedAt });
  } finally {
    output.progress('');
    turnover = await node.stop();
  }
  summarize(turnover);
}

function tradeOf({ ask }: SeedOptions): Trade | null {
  return ask === undefined ? null : { buyer: null, seller: { ask } };
}

interface Showing {
  readonly context: Context;
  readonly node: TorrentNode;
}

async function showUntil(signal: AbortSignal, { context, node }: Showing): Promise<void> {
  while (!signal.aborted) {
    const snapshot = await node.transfer.snapshot();
    const torrent = snapshot.torrents[0];
    assert(torrent, 'the torrent is still there');
    context.output.event('progress', progressFacts(snapshot, torrent));
    context.output.progress(uploadLine(snapshot, torrent));
    await sleep(PROGRESS_MS, null, { signal }).catch(() => {});
  }
}

async function lastWords(
  { output }: Context,
  run: { readonly node: TorrentNode; readonly infoHash: string; readonly startedAt: number },
): Promise<(turnover: Turnover) => void> {
  const snapshot = await run.node.transfer.snapshot();
  const sentBytes = snapshot.torrents[0]?.sentBytes ?? 0;
  const seconds = Math.round(performance.now() - run.startedAt) / 1000;
  const { infoHash } = run;
  return ({ earned }) => {
    const money = earned > 0n ? `, earned ${shortBtt(earned)} BTT` : '';
    const facts = { ok: true, infoHash, sentBytes, seconds, earnedAtto: earned };
    output.summary(facts, [`sent ${formatSize(sentBytes)}${money}`]);
  };
}
