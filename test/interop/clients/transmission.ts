/**
 * Transmission, driven by its RPC. It refuses peers on 127.0.0.0/8 (`isMartianAddr` in its net.c),
 * so that its tests run on an outward address of this machine.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../../support/children.ts';
import { findOutwardAddress } from '../../support/outward-address.ts';
import { type Endpoint, findFreePort, waitUntilListening } from '../../support/ports.ts';
import {
  CLIENT_TIMEOUT_MS,
  type Downloading,
  type DownloadJob,
  makeHome,
  missingCommand,
  type Seeding,
  type SeedJob,
  type TorrentClient,
} from './torrent-client.ts';
import { inputWithTracker } from './torrent-input.ts';

/** Torrent states of the RPC specification. */
const STATUS = { stopped: 0, seeding: 6 } as const;

interface TorrentState {
  readonly status: number;
  readonly leftUntilDone: number;
  readonly metadataPercentComplete: number;
  readonly error: number;
  readonly errorString: string;
}

/** One daemon with one torrent. */
class Daemon {
  readonly child: Child;
  readonly endpoint: Endpoint;
  readonly #rpcUrl: string;
  #session = '';

  private constructor(child: Child, options: { endpoint: Endpoint; rpcUrl: string }) {
    this.child = child;
    this.endpoint = options.endpoint;
    this.#rpcUrl = options.rpcUrl;
  }

  static async start(job: SeedJob | DownloadJob, changes: object): Promise<Daemon> {
    const port = await findFreePort(job.host);
    const rpcPort = await findFreePort();
    const home = await makeHome(job.homeFolder, 'transmission');
    const settings = {
      [job.host.includes(':') ? 'bind-address-ipv6' : 'bind-address-ipv4']: job.host,
      'peer-port': port,
      'rpc-bind-address': '127.0.0.1',
      'rpc-port': rpcPort,
      'rpc-authentication-required': false,
      'dht-enabled': false,
      'lpd-enabled': false,
      'pex-enabled': false,
      'utp-enabled': false,
      'port-forwarding-enabled': false,
      encryption: 0,
      'download-dir': job.folder,
      'incomplete-dir-enabled': false,
      ...changes,
    };
    await writeFile(join(home, 'settings.json'), JSON.stringify(settings));
    const child = startChild('transmission-daemon', ['--foreground', '--config-dir', home], {
      timeoutMs: CLIENT_TIMEOUT_MS,
    });
    await waitUntilListening({ host: '127.0.0.1', port: rpcPort });
    const endpoint = { host: job.host, port };
    return new Daemon(child, {
      endpoint,
      rpcUrl: `http://127.0.0.1:${rpcPort}/transmission/rpc`,
    });
  }

  async add(torrent: string): Promise<void> {
    const source = torrent.startsWith('magnet:')
      ? { filename: torrent }
      : { metainfo: (await readFile(torrent)).toString('base64') };
    await this.call('torrent-add', { ...source, paused: false });
  }

  /** Resolves when `accepts`; rejects when the torrent reports a local error or the daemon ends. */
  async waitFor(accepts: (state: TorrentState) => boolean): Promise<void> {
    const fields = ['status', 'leftUntilDone', 'metadataPercentComplete', 'error', 'errorString'];
    for (;;) {
      const reply = await this.call('torrent-get', { fields });
      const [state] = (reply as { torrents: readonly TorrentState[] }).torrents;
      if (state !== undefined) {
        if (accepts(state)) return;
        if (state.error === 3) throw new Error(`transmission: ${state.errorString}`);
      }
      await delay(50);
    }
  }

  /** One RPC; repeats it once to learn the session id (the daemon's CSRF token). */
  async call(method: string, rpcArguments: object = {}): Promise<unknown> {
    const body = JSON.stringify({ method, arguments: rpcArguments });
    for (;;) {
      const headers = { 'X-Transmission-Session-Id': this.#session };
      const response = await fetch(this.#rpcUrl, { method: 'POST', body, headers });
      if (response.status === 409) {
        this.#session = response.headers.get('X-Transmission-Session-Id') ?? '';
        continue;
      }
      const reply = (await response.json()) as { result: string; arguments: unknown };
      if (reply.result !== 'success') throw new Error(`transmission ${method}: ${reply.result}`);
      return reply.arguments;
    }
  }
}

/** Transmission with some of its settings changed; `name` tells which. */
export function transmissionWith(
  name: string,
  settings: Readonly<Record<string, number | boolean>>,
): TorrentClient {
  return {
    name,
    needsOutwardAddress: true,
    createsEmptyFiles: false,
    unavailable: (): string | null =>
      missingCommand('transmission-daemon', 'transmission-daemon') ??
      (findOutwardAddress() === null
        ? 'Transmission refuses loopback peers; this machine has no other address, ' +
          'and we are not root'
        : null),
    seed: async (job: SeedJob): Promise<Seeding> => {
      const daemon = await Daemon.start(job, settings);
      await daemon.add(job.torrentPath);
      await daemon.waitFor((state) => state.status === STATUS.seeding && state.leftUntilDone === 0);
      return {
        endpoint: daemon.endpoint,
        [Symbol.asyncDispose]: () => daemon.child[Symbol.asyncDispose](),
      };
    },
    download: async (job: DownloadJob): Promise<Downloading> => {
      const { torrent, tracker } = await inputWithTracker(job);
      const daemon = await Daemon.start(job, settings);
      await daemon.add(torrent);
      const finish = async (): Promise<void> => {
        await daemon.waitFor(
          (state) => state.metadataPercentComplete === 1 && state.leftUntilDone === 0,
        );
        if (job.staySeeding) return;
        // Stopping writes what its cache still holds.
        await daemon.call('torrent-stop');
        await daemon.waitFor((state) => state.status === STATUS.stopped);
      };
      return {
        endpoint: daemon.endpoint,
        done: finish(),
        [Symbol.asyncDispose]: async () => {
          await daemon.child[Symbol.asyncDispose]();
          await tracker?.close();
        },
      };
    },
  };
}

/** See the head of this file. */
export const transmission: TorrentClient = transmissionWith('transmission', {});
