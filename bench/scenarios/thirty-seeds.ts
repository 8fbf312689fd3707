/** One file from thirty seeds, in many small pieces: libtorrent, ours, WebTorrent. */
import { fileURLToPath } from 'node:url';
import { startChild } from '../../test/support/children.ts';
import {
  bidwidthDownloader,
  libtorrentDownloader,
  makeContent,
  webtorrentDownloader,
} from '../downloaders.ts';
import type { PreparedScenario, Scenario, ScenarioOptions } from './scenario.ts';

const SEED_COUNT = 30;
const LIGHT_SEEDS: string = fileURLToPath(new URL('../light-seeds.ts', import.meta.url));
/** They outlive every run of a long series. */
const SEEDS_TIMEOUT_MS = 3_600_000;

/** See the head of this file. */
export const thirtySeeds: Scenario = {
  name: 'thirty-seeds',
  conditions:
    `one random file of 4,096 pieces from ${SEED_COUNT} seeds over loopback, in memory, TCP, ` +
    'plaintext, no DHT. The seeds are one light process of our own on thirty ports ' +
    '(bench/light-seeds.ts: content in memory, requests answered in order, nothing else): ' +
    'thirty real clients would take both cores and be what is measured. Wall time is the whole ' +
    'process, start-up to exit. SHA-256 of the copy is compared after each run, outside of it.',
  defaults: { sizeBytes: 2 ** 30, pieceLengthBytes: 2 ** 18 },
  goals: [
    { contender: 'bidwidth', figure: 'mibPerSecond', atLeast: 1.2, against: 'libtorrent' },
    { contender: 'bidwidth', figure: 'mibPerSecond', atLeast: 4, against: 'WebTorrent' },
  ],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-thirty', options));
  const { torrentPath, contentPath } = content;
  const args = [LIGHT_SEEDS, torrentPath, contentPath, '--count', String(SEED_COUNT)];
  const seeds = stack.use(startChild(process.execPath, args, { timeoutMs: SEEDS_TIMEOUT_MS }));
  const { ports } = await seeds.waitForLine((line) => line.event === 'listening');
  const swarm = { content, peers: (ports as number[]).map((port) => `127.0.0.1:${port}`) };
  const contenders = [
    libtorrentDownloader(swarm),
    bidwidthDownloader(swarm),
    webtorrentDownloader(swarm),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
