/** One file from one libtorrent seed: libtorrent's download, ours, and the least Node can do. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bidwidthCommand, bidwidthUnavailable } from '../../test/interop/clients/bidwidth.ts';
import { libtorrentCommand, libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { startChild } from '../../test/support/children.ts';
import { makeTempFolder, sha256OfFile, writeRandomFile } from '../../test/support/files.ts';
import { makeTorrent } from '../../test/support/make-torrent.ts';
import { measure } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

const NULL_CLIENT: string = fileURLToPath(new URL('../null-client.ts', import.meta.url));
/** The seed outlives every run of a long series. */
const SEED_TIMEOUT_MS = 3_600_000;

/** See the head of this file. */
export const download: Scenario = {
  name: 'download',
  conditions:
    'one random file from one libtorrent seed over loopback, in memory, TCP, plaintext, no DHT. ' +
    'Wall time is the whole process, start-up to exit, for every contender; seed and downloader ' +
    'share the cores. SHA-256 of the copy is compared after each run, outside of its time.',
  defaults: { sizeBytes: 2 * 2 ** 30 },
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
  const stack = new AsyncDisposableStack();
  const temp = stack.use(await makeTempFolder('bench'));
  const contentPath = join(temp.path, 'source', 'content.bin');
  const torrentPath = join(temp.path, 'content.torrent');
  await writeRandomFile(contentPath, options.sizeBytes);
  await makeTorrent({
    contentPath,
    torrentPath,
    pieceLengthBytes: options.pieceLengthBytes,
  });
  const [command, ...seedArguments] = libtorrentCommand([
    ...['seed', torrentPath, join(temp.path, 'source'), '--trust'],
  ]);
  const seed = stack.use(startChild(command, seedArguments, { timeoutMs: SEED_TIMEOUT_MS }));
  const { port } = await seed.waitForLine((line) => line.event === 'listening');
  const folder = join(temp.path, 'target');
  const expected = sha256OfFile(contentPath);

  const contender = (
    name: string,
    facts: { readonly unavailable: string | null; readonly command: readonly string[] },
  ): Contender => ({
    name,
    unavailable: facts.unavailable,
    run: async (): Promise<Run> => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      const measurement = await measure(facts.command);
      if (sha256OfFile(join(folder, 'content.bin')) !== expected) {
        throw new Error(`${name} ended well, but its copy differs from the original`);
      }
      // What the program itself timed: libtorrent from adding the torrent to its file flushed,
      // ours by the summary line. The difference to the wall time is start-up and exit.
      const timed = measurement.lines.findLast((line) => typeof line.seconds === 'number');
      const extra = timed === undefined ? {} : { ownSeconds: Number(timed.seconds) };
      return { measurement, extra };
    },
  });
  const peer = `127.0.0.1:${Number(port)}`;
  const contenders = [
    contender('libtorrent', {
      unavailable: null,
      command: libtorrentCommand(['download', torrentPath, folder, '--peer', peer]),
    }),
    contender('bidwidth', {
      unavailable: bidwidthUnavailable(),
      command: bidwidthCommand([
        ...['download', torrentPath, '--to', folder, '--peer', peer, '--port', '0'],
        ...['--no-dht', '--no-lsd', '--no-trackers', '--json'],
      ]),
    }),
    contender('null client', {
      unavailable: null,
      command: [process.execPath, NULL_CLIENT, torrentPath, folder, '--peer', peer],
    }),
  ];
  return { contenders, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
