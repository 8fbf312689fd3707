/** The main thread's handle on the transfer thread. */
import { Worker } from 'node:worker_threads';
import type { PeerAddress } from '../../engine/index.ts';
import type {
  CallMessage,
  TorrentNews,
  TorrentSpec,
  TransferCallName,
  TransferCalls,
  TransferMessage,
  TransferOptions,
  TransferSnapshot,
} from './messages.ts';
import { PendingCalls } from './pending-calls.ts';
import { RemoteFailure } from './remote-failure.ts';

/** What the owner of a transfer thread is told. */
export interface TransferListener {
  onNews(torrent: string, news: TorrentNews): void;
  /** The thread died of a mistake of ours; nothing works any more. */
  onCrash(failure: Error): void;
}

/** A running transfer thread. */
export class Transfer implements TransferCalls {
  readonly port: number;
  readonly #worker: Worker;
  readonly #calls: PendingCalls;

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
      transferList: options.moneyPort ? [options.moneyPort] : [],
      name: 'transfer',
    });
    const calls = new PendingCalls();
    return new Promise((resolve, reject) => {
      const crash = (failure: Error): void => {
        reject(failure);
        calls.fail(failure);
        listener.onCrash(failure);
      };
      worker.on('error', crash);
      worker.on('message', (message: TransferMessage) => {
        switch (message.type) {
          case 'ready':
            resolve(new Transfer(worker, message.port, calls));
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
          case 'news':
            listener.onNews(message.torrent, message.news);
            break;
        }
      });
    });
  }

  add(spec: TorrentSpec): Promise<string> {
    return this.#call('add', [spec]) as Promise<string>;
  }

  async remove(torrent: string): Promise<void> {
    await this.#call('remove', [torrent]);
  }

  async addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void> {
    await this.#call('addPeers', [torrent, peers]);
  }

  async limit(rates: { readonly upload?: number; readonly download?: number }): Promise<void> {
    await this.#call('limit', [rates]);
  }

  snapshot(): Promise<TransferSnapshot> {
    return this.#call('snapshot', []) as Promise<TransferSnapshot>;
  }

  async settle(): Promise<void> {
    await this.#call('settle', []);
  }

  /** Stops torrents and trackers, writes resume records, ends the thread. */
  async stop(): Promise<void> {
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
