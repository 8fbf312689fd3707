/** What ten thousand idle torrents cost: the start, memory, CPU, and adding one more. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { startChild } from '../../test/support/children.ts';
import { makeTempFolder } from '../../test/support/files.ts';
import { measure } from '../measure.ts';
import { makeManyTorrents } from '../torrents/many-torrents.ts';
import type { Contender, PreparedScenario, Run, Scenario } from './scenario.ts';

const TORRENT_COUNT = 10_000;
const SESSION_WORK: string = fileURLToPath(new URL('../torrents/session-work.ts', import.meta.url));
const LIBTORRENT: string = fileURLToPath(
  new URL('../torrents/libtorrent_session.py', import.meta.url),
);
const FILL_TIMEOUT_MS = 300_000;

/** See the head of this file. */
export const tenThousand: Scenario = {
  name: 'torrents',
  conditions:
    `${TORRENT_COUNT} complete torrents of 64 MiB (a sparse file, 256 pieces, no trackers), all ` +
    'seeding, none asked for. The start is from the process to a node that lists and serves them ' +
    'all: ours from its session file, libtorrent from the torrent files in seed mode without ' +
    'verifying files; neither looks at a file before somebody asks for it. CPU is of a core over ' +
    '20 s that begin 5 s after the start; memory is then. One more torrent is added from its ' +
    'file; last, a peer connects to one of the ten thousand and waits for the first message, for ' +
    'which ours wakes the torrent.',
  defaults: { sizeBytes: 64 * 2 ** 20, pieceLengthBytes: 2 ** 18, runs: 3 },
  columns: [
    { title: 'start s', figure: 'startSeconds' },
    { title: 'RSS MB', figure: 'rssBytes', unit: 1e6, digits: 0 },
    { title: 'CPU %', figure: 'cpuPercent' },
    { title: 'add ms', figure: 'addMs', digits: 1 },
    { title: 'first answer ms', figure: 'answerMs', digits: 1 },
    { title: 'peak anonymous MB', figure: 'peakAnonBytes', unit: 1e6, digits: 0 },
  ],
  goals: [
    { contender: 'bidwidth', figure: 'startSeconds', atMost: 15 },
    { contender: 'bidwidth', figure: 'rssBytes', atMost: 700e6 },
    { contender: 'bidwidth', figure: 'cpuPercent', atMost: 3 },
    { contender: 'bidwidth', figure: 'addMs', atMost: 20 },
  ],
  prepare,
};

async function prepare(): Promise<PreparedScenario> {
  const temp = await makeTempFolder('bench-torrents');
  const { dataFolder, torrentFolder } = makeManyTorrents(temp.path, TORRENT_COUNT);
  const [filled, home] = [join(temp.path, 'filled'), join(temp.path, 'home')];
  const child = startChild(
    process.execPath,
    [SESSION_WORK, 'fill', filled, torrentFolder, dataFolder],
    { timeoutMs: FILL_TIMEOUT_MS },
  );
  await child.success();
  const contender = (
    name: string,
    facts: { readonly unavailable: string | null; readonly command: readonly string[] },
  ): Contender => ({
    name,
    unavailable: facts.unavailable,
    run: async (): Promise<Run> => {
      await rm(home, { recursive: true, force: true });
      await cp(filled, home, { recursive: true });
      const measurement = await measure(facts.command);
      const line = measurement.lines.findLast((one) => one.ok === true);
      if (line?.['torrents'] !== TORRENT_COUNT) throw new Error(`${name} did not have them all`);
      const figures = ['startSeconds', 'rssBytes', 'cpuPercent', 'addMs', 'answerMs'];
      const extra = Object.fromEntries(figures.map((figure) => [figure, Number(line[figure])]));
      return { measurement, extra };
    },
  });
  const contenders = [
    contender('libtorrent', {
      unavailable: libtorrentUnavailable(),
      command: ['/usr/bin/python3', LIBTORRENT, torrentFolder, dataFolder],
    }),
    contender('bidwidth', {
      unavailable: null,
      command: [process.execPath, SESSION_WORK, 'run', home, torrentFolder, dataFolder],
    }),
  ];
  return { contenders, [Symbol.asyncDispose]: () => temp.dispose() };
}
