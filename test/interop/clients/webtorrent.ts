/**
 * WebTorrent from npm, in a package of its own (`clients/webtorrent/`): its hundred and more
 * dependencies are none of ours. TCP only, its uTP and WebRTC being native code.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hostAndPort } from '../../../src/units/index.ts';
import { type Child, startChild } from '../../support/children.ts';
import {
  CLIENT_TIMEOUT_MS,
  type Downloading,
  type DownloadJob,
  dhtNodeOf,
  type Seeding,
  type SeedJob,
  type TorrentClient,
} from './torrent-client.ts';
import { inputWithTracker } from './torrent-input.ts';

const FOLDER: string = fileURLToPath(new URL('webtorrent/', import.meta.url));
const PROGRAM: string = fileURLToPath(new URL('webtorrent/webtorrent-peer.mjs', import.meta.url));
const INSTALLED: URL = new URL('webtorrent/node_modules/webtorrent/package.json', import.meta.url);
/** What installs it. Its install scripts would build the native parts. */
const INSTALL = 'npm ci --ignore-scripts --omit=optional --no-audit --no-progress';
const INSTALL_TIMEOUT_MS = 180_000;

/** Installs WebTorrent where it lacks, by the npm registry; why that failed, or null. */
export function installWebtorrent(): string | null {
  if (existsSync(INSTALLED)) return null;
  const npm = spawnSync(INSTALL, {
    ...{ cwd: FOLDER, shell: true, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS },
  });
  if (npm.status === 0) return null;
  const reason = npm.error?.message ?? npm.stderr.trim().split('\n').at(-1);
  return `${INSTALL} in ${FOLDER} failed: ${reason}`;
}

/** The command line that runs one WebTorrent peer; also what the benchmarks run. */
export function webtorrentCommand(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, PROGRAM, ...args];
}

function start(args: readonly string[]): Child {
  const [command, ...rest] = webtorrentCommand(args);
  return startChild(command, rest, { timeoutMs: CLIENT_TIMEOUT_MS });
}

function dht(job: SeedJob | DownloadJob): readonly string[] {
  const node = dhtNodeOf(job);
  return node === null ? [] : ['--dht-node', node];
}

/** WebTorrent with further options of its driver; `name` tells which. */
export function webtorrentWith(name: string, options: readonly string[]): TorrentClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: (): string | null =>
      existsSync(INSTALLED) ? null : `WebTorrent is not installed (${INSTALL} in ${FOLDER})`,
    seed: async (job: SeedJob): Promise<Seeding> => {
      const limit = job.uploadLimit === undefined ? [] : ['--upload-limit', `${job.uploadLimit}`];
      const child = start(['seed', job.torrentPath, job.folder, ...limit, ...dht(job), ...options]);
      const { port } = await child.waitForLine((line) => line.event === 'listening');
      await child.waitForLine((line) => line.event === 'complete');
      return {
        endpoint: { host: job.host, port: Number(port) },
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const byTracker = 'announceUrl' in job.source ? await inputWithTracker(job) : null;
      const source =
        'peer' in job.source
          ? ['--peer', hostAndPort(job.source.peer)]
          : [...(byTracker === null ? [] : ['--trackers']), ...dht(job)];
      const stay = job.staySeeding ? ['--stay'] : [];
      const torrent = byTracker?.torrent ?? job.torrent;
      const child = start(['download', torrent, job.folder, ...source, ...stay, ...options]);
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
export const webtorrent: TorrentClient = webtorrentWith('webtorrent', []);
