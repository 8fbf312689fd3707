/** The seeds the benchmarks compare: same torrent, each a whole fresh process. */
import { bidwidthCommand } from '../test/interop/clients/bidwidth.ts';
import { libtorrentCommand, libtorrentUnavailable } from '../test/interop/clients/libtorrent.ts';
import type { JsonLine } from '../test/support/children.ts';
import type { Content } from './downloaders.ts';
import { measureUntilStopped } from './measure.ts';
import type { Contender, Run } from './scenarios/scenario.ts';

/** What was done with a seed. */
export interface Served {
  /** From the first connection to the last byte. */
  readonly seconds: number;
  /** Payload that left the seed. */
  readonly bytes: number;
  /** Further figures. */
  readonly extra?: Readonly<Record<string, number>>;
}

/** Uses a seed at HOST:PORT; `isWarmUp` in the first round, which does not count. */
export type Use = (peer: string, isWarmUp: boolean) => Promise<Served>;

/** libtorrent's seed and ours, each used the same way. CPU is counted while it serves only. */
export function seeders(content: Content, use: Use): readonly Contender[] {
  const { torrentPath, sourceFolder } = content;
  return [
    seeder(use, {
      name: 'libtorrent seed',
      unavailable: libtorrentUnavailable(),
      command: libtorrentCommand(['seed', torrentPath, sourceFolder, '--trust']),
      isReady: (line) => line.event === 'complete',
    }),
    seeder(use, {
      name: 'bidwidth seed',
      unavailable: null,
      command: bidwidthCommand([
        ...['seed', torrentPath, '--from', sourceFolder, '--port', '0', '--bind', '127.0.0.1'],
        ...['--no-dht', '--no-lsd', '--no-nat', '--no-trackers', '--json'],
      ]),
      isReady: (line) => line.event === 'seeding',
    }),
  ];
}

interface SeedFacts {
  readonly name: string;
  readonly unavailable: string | null;
  readonly command: readonly string[];
  readonly isReady: (line: JsonLine) => boolean;
}

function seeder(use: Use, { name, unavailable, command, isReady }: SeedFacts): Contender {
  let isWarmUp = true;
  const run = async (): Promise<Run> => {
    await using seed = await measureUntilStopped(command);
    const { port } = await seed.child.waitForLine((line) => line.event === 'listening');
    await seed.child.waitForLine(isReady);
    const cpuBefore = seed.cpuSeconds();
    const { seconds, bytes, extra = {} } = await use(`127.0.0.1:${Number(port)}`, isWarmUp);
    const cpuSeconds = seed.cpuSeconds() - cpuBefore;
    isWarmUp = false;
    const measurement = await seed.stop();
    const mib = bytes / 2 ** 20;
    const figures = {
      wallSeconds: seconds,
      mibPerSecond: mib / seconds,
      cpuSeconds,
      cpuSecondsPerGib: (cpuSeconds * 1024) / mib,
      ...extra,
    };
    return { measurement, extra: figures };
  };
  return { name, unavailable, run };
}
