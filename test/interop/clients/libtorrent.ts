/** libtorrent (rasterbar), the engine of qBittorrent and Deluge, by its Python binding. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bracketed, hostAndPort } from '../../../src/units/index.ts';
import { startChild } from '../../support/children.ts';
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

/** The system's Python: another one (pyenv) does not see Debian's binding. */
const PYTHON = '/usr/bin/python3';
const SCRIPT: string = fileURLToPath(new URL('libtorrent_peer.py', import.meta.url));

/** The command line that runs one libtorrent peer; also what the benchmarks run. */
export function libtorrentCommand(args: readonly string[]): readonly [string, ...string[]] {
  return [PYTHON, SCRIPT, ...args];
}

/** See `TorrentClient.unavailable`; asks the interpreter once per call. */
export function libtorrentUnavailable(): string | null {
  const hasBinding = spawnSync(PYTHON, ['-c', 'import libtorrent']).status === 0;
  return hasBinding ? null : 'no libtorrent for Python (apt install python3-libtorrent)';
}

/** Values of libtorrent's `in_enc_policy` and `out_enc_policy`, and of `allowed_enc_level`. */
export const LIBTORRENT_ENCRYPTION = { forced: 0, plaintext: 1, rc4: 2 } as const;

/** libtorrent with some of its settings changed; `name` tells which. */
export function libtorrentWith(
  name: string,
  changes: Readonly<Record<string, number>>,
): CountedClient {
  const settings = Object.entries(changes).map(([setting, value]) => `--set=${setting}=${value}`);
  return makeLibtorrent(name, settings);
}

function dht(job: SeedJob | DownloadJob): readonly string[] {
  const node = dhtNodeOf(job);
  return node === null ? [] : ['--dht-node', node];
}

function makeLibtorrent(name: string, settings: readonly string[]): CountedClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: libtorrentUnavailable,
    seed: async (job: SeedJob): Promise<CountedSeeding> => {
      const limit = job.uploadLimit === undefined ? [] : ['--upload-limit', `${job.uploadLimit}`];
      const place = ['--host', bracketed(job.host), '--report-uploaded', ...dht(job)];
      const role = ['seed', job.torrentPath, job.folder, ...place, ...limit, ...settings];
      const [command, ...args] = libtorrentCommand(role);
      const child = startChild(command, args, { timeoutMs: CLIENT_TIMEOUT_MS });
      const { port } = await child.waitForLine((line) => line.event === 'listening');
      await child.waitForLine((line) => line.event === 'complete');
      return {
        endpoint: { host: job.host, port: Number(port) },
        uploadedBytes: () =>
          Number(child.lines().findLast((line) => line.event === 'uploaded')?.bytes ?? 0),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const byTracker = 'announceUrl' in job.source ? await inputWithTracker(job) : null;
      const torrent = byTracker?.torrent ?? job.torrent;
      const peer = 'peer' in job.source ? [`--peer=${hostAndPort(job.source.peer)}`] : [];
      const stay = job.staySeeding ? ['--stay'] : [];
      const place = ['--host', bracketed(job.host), ...peer, ...dht(job)];
      const role = ['download', torrent, job.folder, ...place, ...stay, ...settings];
      const [command, ...args] = libtorrentCommand(role);
      const child = startChild(command, args, { timeoutMs: CLIENT_TIMEOUT_MS });
      const { port } = await child.waitForLine((line) => line.event === 'listening');
      return {
        endpoint: { host: job.host, port: Number(port) },
        done: child.waitForLine((line) => line.event === 'complete').then(() => undefined),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

/** See the head of this file. */
export const libtorrent: CountedClient = makeLibtorrent('libtorrent', []);
