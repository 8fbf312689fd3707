/** One file from one seed of ours, over each way two of our nodes can talk to each other. */
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { startChild } from '../../test/support/children.ts';
import { bidwidthDownloader, makeContent } from '../downloaders.ts';
import type { PreparedScenario, Scenario, ScenarioOptions } from './scenario.ts';

/** The seed outlives every run of a long series. */
const SEED_TIMEOUT_MS = 3_600_000;

/** See the head of this file. */
export const transports: Scenario = {
  name: 'transports',
  conditions:
    'one random file from one seed of ours over loopback, in memory, no DHT: TCP in the clear, ' +
    'TCP through RC4, uTP in the clear. Wall time is the whole process, start-up to exit; seed ' +
    'and downloader share the cores.',
  goals: [{ contender: 'TCP, RC4', figure: 'mibPerSecond', atLeast: 0.75, against: 'TCP' }],
  prepare,
};

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-transports', options));
  const [command, ...args] = bidwidthCommand([
    ...['seed', content.torrentPath, '--from', content.sourceFolder, '--port', '0', '--json'],
    ...['--no-dht', '--no-lsd', '--no-nat', '--no-trackers'],
  ]);
  const seed = stack.use(startChild(command, args, { timeoutMs: SEED_TIMEOUT_MS }));
  const { port } = await seed.waitForLine((line) => line.event === 'listening');
  await seed.waitForLine((line) => line.event === 'seeding');
  const swarm = { content, peers: [`127.0.0.1:${Number(port)}`] };
  const contenders = [
    bidwidthDownloader(swarm, { name: 'TCP', options: ['--no-utp'] }),
    bidwidthDownloader(swarm, { name: 'TCP, RC4', options: ['--encryption', 'require'] }),
    bidwidthDownloader(swarm, { name: 'uTP', options: ['--no-tcp'] }),
  ];
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
