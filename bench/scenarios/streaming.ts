/** Playing a file that is not here yet: how long a seek takes over 20 Mbit/s and 100 ms. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { libtorrentCommand, libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { type JsonLine, startChild } from '../../test/support/children.ts';
import { type Content, clearTarget, makeContent } from '../downloaders.ts';
import { measureUntilStopped } from '../measure.ts';
import { placesIn, playFrom, type Seek } from '../player.ts';
import { makeSlowLink, type SlowLink } from '../slow-link.ts';
import type {
  Column,
  Contender,
  PreparedScenario,
  Run,
  Scenario,
  ScenarioOptions,
} from './scenario.ts';

const BYTES_PER_SECOND = 20e6 / 8;
const ROUND_TRIP_MS = 100;
/** The goal: the first byte comes within so many round trips and the time of one piece. */
const ROUND_TRIPS = 1.5;
const SEEKS = 12;
/** Read at each place: the link is as busy as playing makes it when the next seek comes. */
const PLAY_MS = 1_500;
const SEED_TIMEOUT_MS = 3_600_000;

const COLUMNS: readonly Column[] = [
  { title: 'seek ms', figure: 'seekMs', digits: 0 },
  { title: 'worst ms', figure: 'worstSeekMs', digits: 0 },
  { title: 'allowed ms', figure: 'allowedMs', digits: 0 },
  { title: 'seek/allowed', figure: 'seekShare' },
  { title: 'start ms', figure: 'startMs', digits: 0 },
  { title: 'Mbit/s while playing', figure: 'playMbitPerSecond', digits: 1 },
  { title: 'CPU s', figure: 'cpuSeconds' },
  { title: 'peak RSS MB', figure: 'peakRssBytes', unit: 1e6, digits: 0 },
];

/** See the head of this file. */
export const streaming: Scenario = {
  name: 'streaming',
  conditions:
    'a player at `bidwidth stream`, one seed behind a link of 20 Mbit/s and ' +
    `${ROUND_TRIP_MS} ms round trip (network namespaces and tbf for the rate, a proxy of our own ` +
    `for the delay). The player starts at 0, then seeks ${SEEKS} times to places that are not ` +
    `here, reading at full speed for ${PLAY_MS / 1000} s at each. A seek is timed from the ` +
    "request's leaving to the first byte of the file; allowed are " +
    `${ROUND_TRIPS} round trips and the time that one piece takes on the link. “start” is the ` +
    'first request of all, connection to the seed included.',
  defaults: { sizeBytes: 2 ** 28, pieceLengthBytes: 2 ** 18 },
  columns: COLUMNS,
  goals: [
    { contender: 'from our seed', figure: 'seekShare', atMost: 1 },
    { contender: 'from libtorrent', figure: 'seekShare', atMost: 1 },
  ],
  prepare,
};

interface Seeding {
  readonly unavailable: string | null;
  readonly command: readonly string[];
  readonly isReady: (line: JsonLine) => boolean;
}

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-streaming', options));
  const link = stack.use(
    makeSlowLink({ bytesPerSecond: BYTES_PER_SECOND, roundTripMs: ROUND_TRIP_MS }),
  );
  console.log(`the link: ${link.description}`);
  const { torrentPath, sourceFolder } = content;
  const { farHost } = link;
  const stage = { content, link, options };
  const contenders = [
    contender('from our seed', stage, {
      unavailable: null,
      command: bidwidthCommand([
        ...['seed', torrentPath, '--from', sourceFolder, '--port', '0', '--bind', farHost],
        ...[
          '--no-trackers',
          '--no-dht',
          '--no-lsd',
          '--no-nat',
          '--json',
          '--data-dir',
          join(content.targetFolder, '..', 'seed'),
        ],
      ]),
      isReady: (line) => line.event === 'seeding',
    }),
    contender('from libtorrent', stage, {
      unavailable: libtorrentUnavailable(),
      command: libtorrentCommand([
        ...['seed', torrentPath, sourceFolder, '--trust', '--host', farHost],
      ]),
      isReady: (line) => line.event === 'complete',
    }),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface StagedLink {
  readonly content: Content;
  readonly link: SlowLink;
  readonly options: ScenarioOptions;
}

function contender(name: string, stage: StagedLink, seeding: Seeding): Contender {
  const { link } = stage;
  const run = async (): Promise<Run> => {
    const [command = '', ...args] = link.atFarSide(seeding.command);
    await using seed = startChild(command, args, { timeoutMs: SEED_TIMEOUT_MS });
    const { port } = await seed.waitForLine((line) => line.event === 'listening');
    await seed.waitForLine(seeding.isReady);
    await using way = await link.reach(Number(port));
    // Awaited here: seed and way end when this function does.
    return await play(stage, way.port);
  };
  return { name, unavailable: seeding.unavailable, run };
}

/** One run of the player, seeks and all. */
async function play({ content, options }: StagedLink, port: number): Promise<Run> {
  const dataFolder = join(content.targetFolder, '..', 'player');
  await rm(dataFolder, { recursive: true, force: true });
  await clearTarget(content);
  await using node = await measureUntilStopped(
    bidwidthCommand([
      ...['stream', content.torrentPath, '--to', content.targetFolder, '--json'],
      ...['--peer', `127.0.0.1:${port}`, '--port', '0', '--bind', '127.0.0.1'],
      ...[
        '--no-trackers',
        '--no-dht',
        '--no-lsd',
        '--no-nat',
        '--http-port',
        '0',
        '--data-dir',
        dataFolder,
      ],
    ]),
  );
  const { url } = await node.child.waitForLine((line) => line.event === 'streaming');
  const first = await playFrom(`${url}`, 0, PLAY_MS);
  const seeks: Seek[] = [];
  for (const position of placesIn(options.sizeBytes, SEEKS)) {
    seeks.push(await playFrom(`${url}`, position, PLAY_MS));
  }
  const measurement = await node.stop();
  const extra = { ...figuresOf(seeks, options), startMs: first.firstByteMs };
  return { measurement, extra };
}

function figuresOf(
  seeks: readonly Seek[],
  { pieceLengthBytes }: ScenarioOptions,
): Readonly<Record<string, number>> {
  const sorted = seeks.map(({ firstByteMs }) => firstByteMs).toSorted((a, b) => a - b);
  const seekMs = sorted[sorted.length >> 1] ?? Number.NaN;
  const allowedMs = ROUND_TRIPS * ROUND_TRIP_MS + (pieceLengthBytes * 1000) / BYTES_PER_SECOND;
  const readBytes = seeks.reduce((sum, seek) => sum + seek.readBytes, 0);
  return {
    seekMs,
    worstSeekMs: sorted.at(-1) ?? Number.NaN,
    allowedMs,
    seekShare: seekMs / allowedMs,
    playMbitPerSecond: (readBytes * 8) / 1000 / (seeks.length * PLAY_MS),
  };
}
