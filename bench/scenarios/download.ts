/** One file from one libtorrent seed: libtorrent's download, ours, and the least Node can do. */
import { libtorrentCommand, libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { startChild } from '../../test/support/children.ts';
import {
  bidwidthDownloader,
  libtorrentDownloader,
  makeContent,
  nullDownloader,
} from '../downloaders.ts';
import type { PreparedScenario, Scenario, ScenarioOptions } from './scenario.ts';

/** The seed outlives every run of a long series. */
const SEED_TIMEOUT_MS = 3_600_000;

/** See the head of this file. */
export const download: Scenario = {
  name: 'download',
  conditions:
    'one random file from one libtorrent seed over loopback, in memory, TCP, plaintext, no DHT. ' +
    'Wall time is the whole process, start-up to exit, for every contender; seed and downloader ' +
    'share the cores. SHA-256 of the copy is compared after each run, outside of its time.',
  defaults: { sizeBytes: 2 * 2 ** 30, runs: 9 },
  goals: [
    { contender: 'bidwidth', figure: 'mibPerSecond', atLeast: 1.3, against: 'libtorrent' },
    { contender: 'bidwidth', figure: 'cpuSeconds', atMost: 0.8, against: 'libtorrent' },
    { contender: 'bidwidth', figure: 'peakRssBytes', atMost: 120e6 },
    { contender: 'bidwidth', figure: 'mibPerSecond', atLeast: 0.75, against: 'null client' },
  ],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  const missing = libtorrentUnavailable();
  if (missing !== null) throw new Error(`the seed cannot run: ${missing}`);
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-download', options));
  const [command, ...args] = libtorrentCommand([
    ...['seed', content.torrentPath, content.sourceFolder, '--trust'],
  ]);
  const seed = stack.use(startChild(command, args, { timeoutMs: SEED_TIMEOUT_MS }));
  const { port } = await seed.waitForLine((line) => line.event === 'listening');
  const swarm = { content, peers: [`127.0.0.1:${Number(port)}`] };
  const contenders = [
    libtorrentDownloader(swarm),
    bidwidthDownloader(swarm),
    nullDownloader(swarm),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
