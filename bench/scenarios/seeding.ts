/** Seeding: to fifty downloaders at once, and to one libtorrent downloader. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { libtorrentCommand, libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { startChild } from '../../test/support/children.ts';
import { type Content, checkCopy, clearTarget, makeContent } from '../downloaders.ts';
import type { Column } from '../report.ts';
import { seeders, type Use } from '../seeders.ts';
import type { PreparedScenario, Scenario, ScenarioOptions } from './scenario.ts';

const DOWNLOADER_COUNT = 50;
const CLIENTS: string = fileURLToPath(new URL('../counting-clients.ts', import.meta.url));
const TIMEOUT_MS = 300_000;

const COLUMNS: readonly Column[] = [
  { title: 'serving s', figure: 'wallSeconds' },
  { title: 'MiB/s', figure: 'mibPerSecond', digits: 0 },
  { title: 'CPU s', figure: 'cpuSeconds' },
  { title: 'CPU s a GiB', figure: 'cpuSecondsPerGib' },
  { title: 'first done s', figure: 'firstSeconds' },
  { title: 'peak RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
  { title: 'of it anonymous MB', figure: 'peakAnonBytes', unit: 1e6, digits: 0 },
  { title: 'MiB/s ratio', figure: 'mibPerSecond', isRatio: true },
];
const GOAL = {
  contender: 'bidwidth seed',
  figure: 'mibPerSecond',
  atLeast: 1,
  against: 'libtorrent seed',
} as const;

/** Fifty downloaders at once. */
export const seeding: Scenario = {
  name: 'seeding',
  conditions:
    `one random file to ${DOWNLOADER_COUNT} downloaders at once over loopback, in memory, TCP, ` +
    'plaintext. The downloaders are one light process (bench/counting-clients.ts): each asks for ' +
    'all pieces in a random order of its own, 128 requests deep, and only reads and counts, so ' +
    'that the seed is what is measured; in the round that does not count it also checks every ' +
    'piece by its hash. Time is from the first connection to the last byte of the last one; CPU ' +
    'and memory are of the seed while it serves.',
  defaults: { sizeBytes: 2 ** 28 },
  columns: COLUMNS,
  goals: [GOAL],
  prepare: (options) => prepare('bench-seeding', options, toFifty),
};

/** One libtorrent downloader. */
export const seedingOne: Scenario = {
  name: 'seeding-one',
  conditions:
    'one random file to one libtorrent downloader over loopback, in memory, TCP, plaintext. Time ' +
    'is the downloader’s own, from adding the torrent to its file written; CPU and memory are of ' +
    'the seed while it serves. SHA-256 of the copy is compared after each run.',
  defaults: { sizeBytes: 2 ** 30 },
  columns: COLUMNS,
  goals: [GOAL],
  prepare: (options) => prepare('bench-seeding-one', options, toLibtorrent),
};

async function prepare(
  label: string,
  options: ScenarioOptions,
  useOf: (content: Content) => Use,
): Promise<PreparedScenario> {
  const content = await makeContent(label, options);
  const contenders = seeders(content, useOf(content));
  return { contenders, [Symbol.asyncDispose]: () => content[Symbol.asyncDispose]() };
}

function toFifty({ torrentPath }: Content): Use {
  return async (peer, isWarmUp) => {
    const count = ['--count', String(DOWNLOADER_COUNT)];
    const args = [CLIENTS, torrentPath, '--peer', peer, ...count];
    if (isWarmUp) args.push('--check');
    await using clients = startChild(process.execPath, args, { timeoutMs: TIMEOUT_MS });
    const done = await clients.waitForLine((line) => line.event === 'complete');
    await clients.success();
    return {
      seconds: Number(done.seconds),
      bytes: Number(done.bytes),
      extra: { firstSeconds: Number(done['firstSeconds']) },
    };
  };
}

function toLibtorrent(content: Content): Use {
  const missing = libtorrentUnavailable();
  if (missing !== null) throw new Error(`the downloader cannot run: ${missing}`);
  return async (peer) => {
    await clearTarget(content);
    const [command, ...args] = libtorrentCommand([
      ...['download', content.torrentPath, content.targetFolder, '--peer', peer],
    ]);
    await using client = startChild(command, args, { timeoutMs: TIMEOUT_MS });
    const done = await client.waitForLine((line) => line.event === 'complete');
    await client.success();
    checkCopy(content, 'libtorrent');
    const { size } = await stat(content.contentPath);
    return { seconds: Number(done.seconds), bytes: size };
  };
}
