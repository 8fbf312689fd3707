/** qBittorrent without its window, driven by its Web API: libtorrent as most people run it. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hostAndPort } from '../../../src/units/index.ts';
import { type Child, startChild } from '../../support/children.ts';
import { type Endpoint, findFreePort, waitUntilListening } from '../../support/ports.ts';
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
import { inputWithTracker } from './torrent-input.ts';

/** States of its Web API in which everything is here, and in which nothing more will come. */
const COMPLETE: readonly string[] = ['uploading', 'stalledUP', 'forcedUP'];
const FAILED: readonly string[] = ['error', 'missingFiles'];

/** Everything that is not the transfer is off, and nobody has to log in from this machine. */
function settingsFile(options: {
  readonly host: string;
  readonly port: number;
  readonly webPort: number;
  readonly changes: Readonly<Record<string, number | string>>;
}): string {
  const session = {
    Port: options.port,
    InterfaceAddress: options.host,
    BTProtocol: 'TCP',
    DHTEnabled: false,
    PeXEnabled: false,
    LSDEnabled: false,
    Encryption: 0,
    MultiConnectionsPerIp: true,
    QueueingSystemEnabled: false,
    SSRFMitigation: false,
    ...options.changes,
  };
  return [
    '[LegalNotice]',
    'Accepted=true',
    '[BitTorrent]',
    ...Object.entries(session).map(([name, value]) => `Session\\${name}=${value}`),
    '[Network]',
    'PortForwardingEnabled=false',
    '[Preferences]',
    `WebUI\\Port=${options.webPort}`,
    'WebUI\\Address=127.0.0.1',
    'WebUI\\LocalHostAuth=false',
    'WebUI\\UseUPnP=false',
    '',
  ].join('\n');
}

/** One process with one torrent. */
class Daemon {
  readonly child: Child;
  readonly endpoint: Endpoint;
  readonly #apiUrl: string;

  private constructor(child: Child, options: { endpoint: Endpoint; apiUrl: string }) {
    this.child = child;
    this.endpoint = options.endpoint;
    this.#apiUrl = options.apiUrl;
  }

  static async start(
    job: SeedJob | DownloadJob,
    changes: Readonly<Record<string, number | string>>,
  ): Promise<Daemon> {
    const { host, homeFolder } = job;
    const port = await findFreePort(host);
    const webPort = await findFreePort();
    const profile = await makeHome(homeFolder);
    const config = await makeHome(profile, 'qBittorrent', 'config');
    const node = dhtNodeOf(job);
    const settings = settingsFile({
      ...{ host, port, webPort },
      changes: { ...(node !== null && { DHTEnabled: 'true' }), ...changes },
    });
    await writeFile(join(config, 'qBittorrent.conf'), settings);
    const child = startChild('qbittorrent-nox', [`--profile=${profile}`], {
      env: { HOME: profile },
      timeoutMs: CLIENT_TIMEOUT_MS,
    });
    await waitUntilListening({ host: '127.0.0.1', port: webPort });
    const endpoint = { host, port };
    const daemon = new Daemon(child, { endpoint, apiUrl: `http://127.0.0.1:${webPort}/api/v2` });
    if (node !== null) await daemon.join(node);
    return daemon;
  }

  /** Adds a torrent file or magnet link, and tells of a peer once it is in the list. */
  async add(torrent: string, folder: string, peer?: Endpoint): Promise<void> {
    const form = new FormData();
    form.set('savepath', folder);
    if (torrent.startsWith('magnet:')) form.set('urls', torrent);
    else form.set('torrents', new Blob([await readFile(torrent)]), basename(torrent));
    await this.#call('torrents/add', form);
    if (peer === undefined) return;
    const hashes = await this.waitFor((state) => state.hash !== '');
    await this.#call(
      'torrents/addPeers',
      new URLSearchParams({ hashes, peers: hostAndPort(peer) }),
    );
  }

  /** Goes on when its DHT knows `node`, of which it hears by a torrent that nobody has. */
  async join(node: string): Promise<void> {
    await this.add(`magnet:?xt=urn:btih:${'0'.repeat(40)}&dht=${node}`, '/nowhere');
    const knowsNode = async (): Promise<boolean> =>
      JSON.parse(await this.#call('transfer/info')).dht_nodes > 0;
    while (!(await knowsNode())) await delay(50);
    const all = { hashes: 'all', deleteFiles: 'false' };
    await this.#call('torrents/delete', new URLSearchParams(all));
    while ((await this.#call('torrents/info')) !== '[]') await delay(50);
  }

  /** The torrent's id once `accepts`; rejects when it has failed or the process has ended. */
  async waitFor(accepts: (state: TorrentState) => boolean): Promise<string> {
    for (;;) {
      const [state] = JSON.parse(await this.#call('torrents/info')) as TorrentState[];
      if (state !== undefined && accepts(state)) return state.hash;
      if (FAILED.includes(state?.state ?? '')) throw new Error(`qbittorrent: ${state?.state}`);
      await delay(50);
    }
  }

  async waitUntilComplete(): Promise<void> {
    await this.waitFor(({ state, progress }) => progress === 1 && COMPLETE.includes(state));
  }

  async #call(method: string, body?: FormData | URLSearchParams): Promise<string> {
    const request = body === undefined ? {} : { method: 'POST', body };
    const response = await fetch(`${this.#apiUrl}/${method}`, request);
    const text = await response.text();
    if (!response.ok) throw new Error(`qbittorrent ${method}: ${response.status} ${text}`);
    return text;
  }
}

/** What we read of an entry of `torrents/info`. */
interface TorrentState {
  readonly hash: string;
  readonly state: string;
  /** 0 to 1. */
  readonly progress: number;
}

/** qBittorrent with some settings of its `[BitTorrent] Session` changed; `name` tells which. */
export function qbittorrentWith(
  name: string,
  changes: Readonly<Record<string, number | string>>,
): TorrentClient {
  return {
    name,
    needsOutwardAddress: false,
    createsEmptyFiles: true,
    unavailable: (): string | null => missingCommand('qbittorrent-nox', 'qbittorrent-nox'),
    seed: async (job: SeedJob): Promise<Seeding> => {
      const daemon = await Daemon.start(job, changes);
      await daemon.add(job.torrentPath, job.folder);
      await daemon.waitUntilComplete();
      return {
        endpoint: daemon.endpoint,
        [Symbol.asyncDispose]: () => daemon.child[Symbol.asyncDispose](),
      };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const byTracker = 'announceUrl' in job.source ? await inputWithTracker(job) : null;
      const peer = 'peer' in job.source ? job.source.peer : undefined;
      const daemon = await Daemon.start(job, changes);
      await daemon.add(byTracker?.torrent ?? job.torrent, job.folder, peer);
      return {
        endpoint: daemon.endpoint,
        done: daemon.waitUntilComplete(),
        [Symbol.asyncDispose]: () => daemon.child[Symbol.asyncDispose](),
      };
    },
  };
}

/** See the head of this file. */
export const qbittorrent: TorrentClient = qbittorrentWith('qbittorrent', {});
