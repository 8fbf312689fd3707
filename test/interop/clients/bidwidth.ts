/** Our own client, by its command line: the same program a user runs, as a process of its own. */
import { fileURLToPath } from 'node:url';
import { bracketed, hostAndPort } from '../../../src/units/index.ts';
import { type Child, startChild } from '../../support/children.ts';
import {
  CLIENT_TIMEOUT_MS,
  type CountedClient,
  type CountedSeeding,
  type Downloading,
  type DownloadJob,
  dhtNodeOf,
  type SeedJob,
} from './torrent-client.ts';
import { inputWithTracker } from './torrent-input.ts';

const ROOT: URL = new URL('../../../', import.meta.url);

/** The program: this tree's, or the one BIDWIDTH_PROGRAM names, such as a built package's. */
export function bidwidthProgram(): string {
  return process.env['BIDWIDTH_PROGRAM'] ?? fileURLToPath(new URL('bin/bidwidth.js', ROOT));
}

/** The command line that runs Bidwidth on this very Node; also what the benchmarks run. */
export function bidwidthCommand(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, bidwidthProgram(), ...args];
}

/** Nobody but the job's DHT node is asked, and then on the job's address alone. */
function discovery(job: SeedJob | DownloadJob): readonly string[] {
  const node = dhtNodeOf(job);
  return [
    '--no-lsd',
    '--no-nat',
    ...(node === null ? ['--no-dht'] : ['--bind', job.host, '--dht-node', node]),
  ];
}

/** A download of ours, and what it says. */
export interface OurDownloading extends Downloading, Pick<Child, 'lines'> {}

/** Our client, of which more can be seen. */
export interface OurClient extends CountedClient {
  download(job: DownloadJob): Promise<OurDownloading>;
}

/** Bidwidth with further options; `name` tells which. */
export function bidwidthWith(name: string, options: readonly string[]): OurClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: () => null,
    seed: async (job: SeedJob): Promise<CountedSeeding> => {
      const limit = job.uploadLimit === undefined ? [] : ['--upload-limit', `${job.uploadLimit}`];
      const quiet = job.announceUrl === undefined ? ['--no-trackers'] : [];
      const [command, ...args] = bidwidthCommand([
        ...['seed', job.torrentPath, '--from', job.folder, '--port', '0', '--json'],
        ...[...discovery(job), ...quiet, ...limit, ...options],
      ]);
      const child = startChild(command, args, {
        env: { HOME: job.homeFolder },
        timeoutMs: CLIENT_TIMEOUT_MS,
      });
      const { port } = await child.waitForLine((line) => line.event === 'listening');
      return {
        endpoint: { host: job.host, port: Number(port) },
        uploadedBytes: () =>
          Number(child.lines().findLast((line) => line.event === 'progress')?.['sentBytes'] ?? 0),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
    download: async (job: DownloadJob): Promise<OurDownloading> => {
      const byTracker = 'announceUrl' in job.source ? await inputWithTracker(job) : null;
      const torrent = byTracker?.torrent ?? job.torrent;
      const quiet = byTracker === null ? ['--no-trackers'] : [];
      const peer = 'peer' in job.source ? ['--peer', hostAndPort(job.source.peer)] : [];
      const stay = job.staySeeding ? ['--seed'] : [];
      const [command, ...args] = bidwidthCommand([
        ...['download', torrent, '--to', job.folder, '--port', '0', '--json'],
        ...[...discovery(job), ...quiet, ...peer, ...stay, ...options],
      ]);
      const child = startChild(command, args, {
        env: { HOME: job.homeFolder },
        timeoutMs: CLIENT_TIMEOUT_MS,
      });
      // With --seed it goes on; then the line it prints on completion is what counts.
      const done = job.staySeeding
        ? child.waitForLine((line) => line.ok === true || line.event === 'complete')
        : child.success();
      const { port } = await child.waitForLine((line) => line.event === 'listening');
      return {
        endpoint: { host: job.host, port: Number(port) },
        lines: () => child.lines(),
        done: done.then(() => undefined),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

/** See the head of this file. */
export const bidwidth: OurClient = bidwidthWith('bidwidth', []);

/** Our tracker as a process, on ports from the kernel. */
export interface RunningTracker extends AsyncDisposable {
  readonly announceUrl: string;
}

/** Starts `bidwidth tracker` and waits until it says where it listens. */
export async function startBidwidthTracker(host: string): Promise<RunningTracker> {
  const [command, ...args] = bidwidthCommand(['tracker', '--port', '0', '--json']);
  const child = startChild(command, args, { timeoutMs: CLIENT_TIMEOUT_MS });
  const { httpPort } = await child.waitForLine((line) => line.event === 'listening');
  return {
    announceUrl: `http://${bracketed(host)}:${Number(httpPort)}/announce`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
