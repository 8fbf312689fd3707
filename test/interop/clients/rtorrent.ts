/** rtorrent (rakshasa's libTorrent) without a terminal. Peers come from trackers only. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../../support/children.ts';
import { copyWithTracker } from '../../support/make-torrent.ts';
import { startMiniTracker } from '../../support/mini-tracker.ts';
import { findFreePort, waitUntilListening } from '../../support/ports.ts';
import {
  CLIENT_TIMEOUT_MS,
  type Downloading,
  type DownloadJob,
  dhtNodeOf,
  makeHome,
  missingCommand,
  type Seeding,
  type SeedJob,
  type TorrentClient,
} from './torrent-client.ts';
import { inputWithTracker, type TrackedInput } from './torrent-input.ts';

/** Values by the name of a command that ends in `.set`. */
type Settings = Readonly<Record<string, number | string>>;

/** What `rtorrentWith` may change. */
const SETTINGS: Settings = { 'protocol.encryption': 'allow_incoming', 'protocol.pex': 'no' };

interface Running {
  readonly child: Child;
  readonly port: number;
  /** Exists once the content was checked (seed) or is complete (download). */
  readonly markPath: string;
}

/** Starts rtorrent on one torrent; a settings file is all it is told. */
async function start(
  job: SeedJob | DownloadJob,
  torrent: string,
  changes: Settings,
): Promise<Running> {
  const port = await findFreePort(job.host);
  const home = await makeHome(job.homeFolder, 'rtorrent');
  const session = await makeHome(home, 'session');
  const markPath = join(home, 'finished');
  const markedEvent = 'torrentPath' in job ? 'hash_done' : 'finished';
  const node = dhtNodeOf(job);
  const dht = [
    'dht.mode.set = on',
    `dht.port.set = ${port}`,
    `schedule2 = node,1,2,"dht.add_node=${node}"`,
  ];
  // It can be bound to addresses of IPv4 alone; unbound it listens on both kinds.
  const place = ['bind', 'local'].map((which) => `network.${which}_address.set = ${job.host}`);
  // A search without nodes fails, and the next one comes seconds later.
  const loadAtSeconds = node === null ? 0 : 2;
  const settings = [
    'system.daemon.set = true',
    ...(job.host.includes(':') ? [] : place),
    `network.port_range.set = ${port}-${port}`,
    'network.port_random.set = no',
    ...Object.entries({ ...SETTINGS, ...changes }).map(([name, value]) => `${name}.set = ${value}`),
    ...(node === null ? ['dht.mode.set = disable'] : dht),
    'trackers.use_udp.set = no',
    `session.path.set = ${session}`,
    `directory.default.set = ${job.folder}`,
    `method.set_key = event.download.${markedEvent},mark,"execute.nothrow=touch,${markPath}"`,
    `schedule2 = load,${loadAtSeconds},0,"load.start=\\"${torrent}\\""`,
  ];
  const settingsPath = join(home, 'rtorrent.rc');
  await writeFile(settingsPath, `${settings.join('\n')}\n`);
  const child = startChild('rtorrent', ['-n', '-o', `import=${settingsPath}`], {
    env: { HOME: home, TERM: 'dumb' },
    timeoutMs: CLIENT_TIMEOUT_MS,
  });
  await waitUntilListening({ host: job.host, port });
  return { child, port, markPath };
}

/** Resolves when rtorrent has left its mark; rejects when it ended without. */
async function waitForMark({ child, markPath }: Running): Promise<void> {
  let hasEnded = false;
  void child.ended.then(() => {
    hasEnded = true;
  });
  while (!existsSync(markPath)) {
    if (hasEnded) throw new Error(`rtorrent ended too early:\n${child.output()}`);
    await delay(50);
  }
}

/**
 * The torrent to seed. Without DHT it refuses one that names no tracker: one that knows nobody will
 * do. With DHT there must be none: a seed does not ask the DHT while a tracker answers.
 */
async function seedInput(job: SeedJob): Promise<TrackedInput> {
  if (dhtNodeOf(job) !== null) return { torrent: job.torrentPath, tracker: null };
  const tracker = job.announceUrl === undefined ? await startMiniTracker(job.host) : null;
  const torrent = join(await makeHome(job.homeFolder), 'seed.torrent');
  await copyWithTracker(job.torrentPath, torrent, tracker?.announceUrl ?? job.announceUrl ?? '');
  return { torrent, tracker };
}

/** rtorrent with some of its settings changed; `name` tells which. */
export function rtorrentWith(name: string, changes: Settings): TorrentClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: (): string | null => missingCommand('rtorrent', 'rtorrent'),
    seed: async (job: SeedJob): Promise<Seeding> => {
      const { torrent, tracker } = await seedInput(job);
      const running = await start(job, torrent, changes);
      await waitForMark(running);
      return {
        endpoint: { host: job.host, port: running.port },
        [Symbol.asyncDispose]: async () => {
          await running.child[Symbol.asyncDispose]();
          await tracker?.close();
        },
      };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const { torrent, tracker } = await inputWithTracker(job);
      const running = await start(job, torrent, changes);
      return {
        endpoint: { host: job.host, port: running.port },
        done: waitForMark(running),
        [Symbol.asyncDispose]: async () => {
          await running.child[Symbol.asyncDispose]();
          await tracker?.close();
        },
      };
    },
  };
}

/** See the head of this file. */
export const rtorrent: TorrentClient = rtorrentWith('rtorrent', {});
