/** One file from one seed, over each way two of our nodes, or two of libtorrent, can talk. */
import { bidwidthCommand } from '../../test/interop/clients/bidwidth.ts';
import { libtorrentCommand, libtorrentUnavailable } from '../../test/interop/clients/libtorrent.ts';
import { type JsonLine, startChild } from '../../test/support/children.ts';
import { bidwidthDownloader, libtorrentDownloader, makeContent } from '../downloaders.ts';
import type { PreparedScenario, Scenario, ScenarioOptions } from './scenario.ts';

/** The seed outlives every run of a long series. */
const SEED_TIMEOUT_MS = 3_600_000;

/** See the head of this file. */
export const transports: Scenario = {
  name: 'transports',
  conditions:
    'one random file from one seed of the same client over loopback, in memory, no DHT: TCP in ' +
    'the clear, TCP through RC4, uTP in the clear. Wall time is the whole process, start-up to ' +
    'exit; seed and downloader share the cores.',
  goals: [{ contender: 'TCP, RC4', figure: 'mibPerSecond', atLeast: 0.75, against: 'TCP' }],
  prepare,
};

/** libtorrent's names: encryption forced, RC4 alone, RC4 rather than nothing. */
const RC4_ALONE = ['out_enc_policy=0', 'allowed_enc_level=2', 'prefer_rc4=1'];

async function prepare(options: ScenarioOptions): Promise<PreparedScenario> {
  await using stack = new AsyncDisposableStack();
  const content = stack.use(await makeContent('bench-transports', options));
  const { torrentPath, sourceFolder } = content;
  const peerOf = async (
    [command, ...args]: readonly [string, ...string[]],
    isReady: (line: JsonLine) => boolean,
  ): Promise<string> => {
    const seed = stack.use(startChild(command, args, { timeoutMs: SEED_TIMEOUT_MS }));
    const { port } = await seed.waitForLine((line) => line.event === 'listening');
    await seed.waitForLine(isReady);
    return `127.0.0.1:${Number(port)}`;
  };
  const ours = await peerOf(
    bidwidthCommand([
      ...['seed', torrentPath, '--from', sourceFolder, '--port', '0', '--json'],
      ...['--no-dht', '--no-lsd', '--no-nat', '--no-trackers'],
    ]),
    (line) => line.event === 'seeding',
  );
  const contenders = [
    bidwidthDownloader({ content, peers: [ours] }, { name: 'TCP', options: ['--no-utp'] }),
    bidwidthDownloader(
      { content, peers: [ours] },
      { name: 'TCP, RC4', options: ['--encryption', 'require'] },
    ),
    bidwidthDownloader({ content, peers: [ours] }, { name: 'uTP', options: ['--no-tcp'] }),
  ];
  if (libtorrentUnavailable() === null) {
    const theirs = await peerOf(
      libtorrentCommand(['seed', torrentPath, sourceFolder, '--trust']),
      (line) => line.event === 'complete',
    );
    const settings = RC4_ALONE.map((setting) => `--set=${setting}`);
    contenders.push(
      libtorrentDownloader({ content, peers: [theirs] }, { name: 'libtorrent TCP', options: [] }),
      libtorrentDownloader(
        { content, peers: [theirs] },
        { name: 'libtorrent RC4', options: settings },
      ),
    );
  }
  const owned = stack.move();
  return { contenders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
