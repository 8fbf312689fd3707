/** aria2, whose BitTorrent code is its own. It learns peers from trackers only. */
import { dirname, join } from 'node:path';
import { startChild } from '../../support/children.ts';
import { findFreePort, waitUntilListening } from '../../support/ports.ts';
import {
  CLIENT_TIMEOUT_MS,
  type Downloading,
  type DownloadJob,
  dhtNodeOf,
  missingCommand,
  type Seeding,
  type SeedJob,
  type TorrentClient,
} from './torrent-client.ts';
import { inputWithTracker } from './torrent-input.ts';

function argumentsFor(job: SeedJob | DownloadJob, port: number): string[] {
  const node = dhtNodeOf(job);
  const table = join(job.homeFolder, 'dht.dat');
  const dht = [
    `--dht-entry-point=${node}`,
    `--dht-listen-port=${port}`,
    `--dht-file-path=${table}`,
  ];
  return [
    `--dir=${job.folder}`,
    `--listen-port=${port}`,
    '--no-conf=true',
    ...(node === null ? ['--enable-dht=false'] : ['--enable-dht=true', ...dht]),
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    `--disable-ipv6=${!job.host.includes(':')}`,
    '--file-allocation=none',
    '--allow-overwrite=true',
    '--summary-interval=0',
    '--console-log-level=warn',
    '--bt-tracker-timeout=5',
  ];
}

/** aria2 with further options; `name` tells which. */
export function aria2With(name: string, options: readonly string[]): TorrentClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: (): string | null => missingCommand('aria2c', 'aria2'),
    seed: async (job: SeedJob): Promise<Seeding> => {
      const port = await findFreePort(job.host);
      const limit = job.uploadLimit === undefined ? [] : [`--max-upload-limit=${job.uploadLimit}`];
      const child = startChild(
        'aria2c',
        [
          ...argumentsFor(job, port),
          '--check-integrity=true',
          '--seed-ratio=0.0',
          ...limit,
          ...options,
          job.torrentPath,
        ],
        { cwd: dirname(job.torrentPath), timeoutMs: CLIENT_TIMEOUT_MS },
      );
      const endpoint = { host: job.host, port };
      await waitUntilListening(endpoint);
      return { endpoint, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const { torrent, tracker } = await inputWithTracker(job);
      const port = await findFreePort(job.host);
      // It says that it is complete only by ending, so it never stays.
      const child = startChild(
        'aria2c',
        [...argumentsFor(job, port), ...options, '--seed-time=0', torrent],
        { timeoutMs: CLIENT_TIMEOUT_MS },
      );
      return {
        endpoint: { host: job.host, port },
        done: child.success(),
        [Symbol.asyncDispose]: async () => {
          await child[Symbol.asyncDispose]();
          await tracker?.close();
        },
      };
    },
  };
}

/** See the head of this file. */
export const aria2: TorrentClient = aria2With('aria2', []);
