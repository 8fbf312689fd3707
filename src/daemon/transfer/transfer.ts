/** The main thread's handle on the transfer thread. */
import { Worker } from 'node:worker_threads';
import type { PeerAddress } from '../../engine/index.ts';
import type { TrackerTiers } from '../trackers/edit-trackers.ts';
import type {
  CallMessage,
  OutsidePlace,
  RestartTerms,
  SleepingTorrent,
  TorrentActivity,
  TorrentNews,
  TorrentSpec,
  TrackerView,
  TransferCallName,
  TransferCalls,
  TransferLoad,
  TransferMessage,
  TransferOptions,
  TransferRates,
  TransferSnapshot,
} from './messages.ts';
import { PendingCalls } from './pending-calls.ts';
import type { PieceRange } from './piece-waits.ts';
import { RemoteFailure } from './remote-failure.ts';

/** What the owner of a transfer thread is told. */
export interface TransferListener {
  onNews(torrent: string, news: TorrentNews): void;
  /** Something all torrents suffer from, or are rid of: the proxy is away, or is back. */
  onNotice?(line: string): void;
  /** The thread died of a mistake of ours; nothing works any more. */
  onCrash(failure: Error): void;
}

/**
 * Room for short-lived objects in a transfer thread. Few are made, but V8 lets them pile up: its
 * own choice took 6 MB more and saved no time that could be measured.
 */
const YOUNG_MB_MAX = 2;

/** A running transfer thread. */
export class Transfer implements TransferCalls {
  readonly port: number;
  readonly #worker: Worker;
  readonly #calls: PendingCalls;
  #hasCrashed = false;
  #stopped: Promise<void> | null = null;

  private constructor(worker: Worker, port: number, calls: PendingCalls) {
    this.#worker = worker;
    this.port = port;
    this.#calls = calls;
  }

  /**
   * Starts the thread; its port is open when this resolves.
   *
   * @throws RemoteFailure with the code of what went wrong, for example PLATFORM_PORT_TAKEN
   */
  static start(options: TransferOptions, listener: TransferListener): Promise<Transfer> {
    const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./worker.${suffix}`, import.meta.url), {
      workerData: options,
      transferList: [options.moneyPort, options.dhtPort].flatMap((port) => port ?? []),
      name: 'transfer',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
    });
    const calls = new PendingCalls();
    return new Promise((resolve, reject) => {
      let transfer: Transfer | null = null;
      const crash = (failure: Error): void => {
        reject(failure);
        calls.fail(failure);
        if (transfer) transfer.#hasCrashed = true;
        listener.onCrash(failure);
      };
      worker.on('error', crash);
      worker.on('message', (message: TransferMessage) => {
        switch (message.type) {
          case 'ready':
            transfer = new Transfer(worker, message.port, calls);
            resolve(transfer);
            break;
          case 'broken':
            void worker.terminate();
            reject(new RemoteFailure(message.code, message.line));
            break;
          case 'answer':
            calls.resolve(message.id, message.value);
            break;
          case 'refusal':
            calls.refuse(message.id, new RemoteFailure(message.code, message.line));
            break;
          case 'notice':
            listener.onNotice?.(message.line);
            break;
          case 'news':
            listener.onNews(message.torrent, message.news);
            break;
        }
      });
    });
  }

  /** Something all torrents suffer from, or are rid of: the proxy is away, or is back. */
  onNotice?(line: string): void;
  /** The thread died of a mistake of ours: every call is refused with it. */
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  add(spec: TorrentSpec): Promise<string> {
    return this.#call('add', [spec]) as Promise<string>;
  }

  async addSleeping(torrents: readonly SleepingTorrent[]): Promise<void> {
    await this.#call('addSleeping', [torrents]);
  }

  remove(torrent: string): Promise<TorrentActivity | null> {
    return this.#call('remove', [torrent]) as Promise<TorrentActivity | null>;
  }

  async retry(torrent: string): Promise<void> {
    await this.#call('retry', [torrent]);
  }

  rest(torrent: string): Promise<boolean> {
    return this.#call('rest', [torrent]) as Promise<boolean>;
  }

  async goOn(torrent: string, terms: RestartTerms): Promise<void> {
    await this.#call('goOn', [torrent, terms]);
  }

  async addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void> {
    await this.#call('addPeers', [torrent, peers]);
  }

  async prioritiseFiles(torrent: string, priorities: readonly number[]): Promise<void> {
    await this.#call('prioritiseFiles', [torrent, priorities]);
  }

  async setSequential(torrent: string, isSequential: boolean): Promise<void> {
    await this.#call('setSequential', [torrent, isSequential]);
  }

  async setTrackers(torrent: string, tiers: TrackerTiers): Promise<void> {
    await this.#call('setTrackers', [torrent, tiers]);
  }

  trackers(torrent: string): Promise<readonly TrackerView[]> {
    return this.#call('trackers', [torrent]) as Promise<readonly TrackerView[]>;
  }

  async whenHere(torrent: string, range: PieceRange, withinMs: number): Promise<void> {
    await this.#call('whenHere', [torrent, range, withinMs]);
  }

  async forget(torrent: string, range: PieceRange): Promise<void> {
    await this.#call('forget', [torrent, range]);
  }

  async limit(rates: TransferRates, torrent?: string): Promise<void> {
    await this.#call('limit', [rates, torrent]);
  }

  async reachedAt(outside: ReadonlyMap<number, OutsidePlace>): Promise<void> {
    await this.#call('reachedAt', [outside]);
  }

  load(): Promise<TransferLoad> {
    return this.#call('load', []) as Promise<TransferLoad>;
  }

  snapshot(): Promise<TransferSnapshot> {
    return this.#call('snapshot', []) as Promise<TransferSnapshot>;
  }

  activity(): Promise<readonly TorrentActivity[]> {
    return this.#call('activity', []) as Promise<readonly TorrentActivity[]>;
  }

  async settle(): Promise<void> {
    await this.#call('settle', []);
  }

  /** Stops torrents and trackers, writes resume records, ends the thread; nothing after a crash. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#hasCrashed) return;
    await this.#call('stop', []);
    await this.#worker.terminate();
  }

  #call(name: TransferCallName, args: readonly unknown[]): Promise<unknown> {
    const { id, answer } = this.#calls.begin();
    const message: CallMessage = { id, name, args };
    this.#worker.postMessage(message);
    return answer;
  }
}
