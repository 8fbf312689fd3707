/** What limits cost: a download between two nodes of ours without, far below, and at a limit. */
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { startChild } from '../../test/support/children.ts';
import { checkCopy, clearTarget, makeContent } from '../downloaders.ts';
import { cpuSecondsOf, measure } from '../measure.ts';
import type { Contender, PreparedScenario, Run, Scenario, ScenarioOptions } from './scenario.ts';

const RATE_FIGURE = 'ownMegabytesPerSecond';
/** In megabytes (10^6 bytes) a second: what the limited ones are held to. */
const LIMIT = 50;
const WITHIN = 0.03;
/** Of it about 0.12 is for running nine seconds longer: two idle nodes take 0.02 s a second. */
const CPU_MOST = 1.25;
const QUIET = ['--port', '0', '--no-dht', '--no-lsd', '--no-nat', '--no-trackers', '--json'];
const SEED_TIMEOUT_MS = 300_000;

/** See the head of this file. */
export const limits: Scenario = {
  name: 'limits',
  conditions:
    'one random file from a node of ours to another one over loopback, in memory, TCP, ' +
    'plaintext: without limits, with limits that neither reaches (100 GB/s), and with one of ' +
    `${LIMIT} MB/s on the upload or the download. Own seconds count from the torrent added ` +
    'to it complete, connecting included. CPU seconds are of both nodes together.',
  defaults: { sizeBytes: 512 * 2 ** 20, runs: 3 },
  columns: [
    { title: 'own s', figure: 'ownSeconds' },
    { title: 'MB/s', figure: RATE_FIGURE, digits: 1 },
    { title: 'CPU s of both', figure: 'bothCpuSeconds' },
    { title: 'MB/s ratio', figure: RATE_FIGURE, isRatio: true },
    { title: 'CPU ratio', figure: 'bothCpuSeconds', isRatio: true },
  ],
  goals: [
    { contender: 'out of reach', figure: RATE_FIGURE, atLeast: 0.97, against: 'unlimited' },
    ...['upload', 'download'].flatMap((way) => [
      {
        contender: `${way} at ${LIMIT} MB/s`,
        figure: RATE_FIGURE,
        atLeast: LIMIT * (1 - WITHIN),
        atMost: LIMIT * (1 + WITHIN),
      },
      {
        contender: `${way} at ${LIMIT} MB/s`,
        figure: 'bothCpuSeconds',
        atMost: CPU_MOST,
        against: 'unlimited',
      },
    ]),
  ],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-limits', options));
  const { torrentPath, sourceFolder, targetFolder } = content;
  const contender = (name: string, upload: string[], download: string[]): Contender => ({
    name,
    unavailable: null,
    run: async (): Promise<Run> => {
      await clearTarget(content);
      const [command, ...args] = bidwidthCommand([
        ...['seed', torrentPath, '--from', sourceFolder, ...QUIET, ...upload],
      ]);
      await using seed = startChild(command, args, { timeoutMs: SEED_TIMEOUT_MS });
      const { port } = await seed.waitForLine((line) => line.event === 'listening');
      await seed.waitForLine((line) => line.event === 'seeding');
      const seedCpuBefore = cpuSecondsOf(seed.pid);
      const peer = ['--peer', `127.0.0.1:${Number(port)}`];
      const measurement = await measure(
        bidwidthCommand([
          ...['download', torrentPath, '--to', targetFolder, ...peer, ...QUIET, ...download],
        ]),
      );
      const seedCpuSeconds = cpuSecondsOf(seed.pid) - seedCpuBefore;
      checkCopy(content, name);
      const { userSeconds, systemSeconds, lines } = measurement;
      const ownSeconds = Number(lines.findLast((line) => line.ok === true)?.seconds);
      return {
        measurement,
        extra: {
          ownSeconds,
          [RATE_FIGURE]: options.sizeBytes / 1e6 / ownSeconds,
          bothCpuSeconds: userSeconds + systemSeconds + seedCpuSeconds,
        },
      };
    },
  });
  const far = '100GB';
  const near = `${LIMIT}MB`;
  const contenders = [
    contender('unlimited', [], []),
    contender('out of reach', ['--upload-limit', far], ['--download-limit', far]),
    contender(`upload at ${LIMIT} MB/s`, ['--upload-limit', near], []),
    contender(`download at ${LIMIT} MB/s`, [], ['--download-limit', near]),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
