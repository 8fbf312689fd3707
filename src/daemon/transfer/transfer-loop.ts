/** The transfer thread's inside: the engine, its port, its clock, and the torrents at work. */
import { Engine, type PeerAddress } from '../../engine/index.ts';
import { nodeHasher } from '../../platform/disk/index.ts';
import { listenTcp, nodeMseCrypto, type TcpListener, tcpDialer } from '../../platform/net/index.ts';
import type { TrackerAnnouncer, TrackerTransport } from '../../platform/tracker/index.ts';
import { type BytesPerSecond, bytesPerSecond, instant } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { LoopExchange } from './loop-exchange.ts';
import type {
  TorrentNews,
  TorrentSpec,
  TransferCalls,
  TransferOptions,
  TransferSnapshot,
} from './messages.ts';
import { TorrentRunner } from './torrent-runner.ts';

/** Name and version in extension handshakes. */
const CLIENT_NAME = 'Bidwidth 0.1.0';

/** The engine's tick: fine enough for smooth rate limits, too rare to cost anything. */
const TICK_MS = 50;

/** Tells the main thread what happened. */
export type Teller = (torrent: string, news: TorrentNews) => void;

/** One transfer loop. */
export class TransferLoop implements TransferCalls {
  readonly #options: TransferOptions;
  readonly #tell: Teller;
  readonly #engine: Engine;
  readonly #exchange: LoopExchange | null;
  readonly #runners = new Map<string, TorrentRunner>();
  #listener: TcpListener | null = null;
  #timer: NodeJS.Timeout | null = null;
  #transport: TrackerTransport | null = null;

  private constructor(options: TransferOptions, tell: Teller, exchange: LoopExchange | null) {
    this.#options = options;
    this.#tell = tell;
    this.#exchange = exchange;
    this.#engine = new Engine(
      {
        dialer: tcpDialer(options.bindHost === null ? {} : { localAddress: options.bindHost }),
        hasher: nodeHasher,
        random: Math.random,
        extensions: exchange ? [exchange.extension] : [],
        uploadPolicy: exchange?.policy ?? null,
        encryption: { policy: options.encryption ?? 'allow', crypto: nodeMseCrypto },
      },
      {
        clientName: CLIENT_NAME,
        uploadLimit: bytesPerSecond(options.uploadLimit),
        downloadLimit: bytesPerSecond(options.downloadLimit),
      },
    );
  }

  /** Starts a loop; its port is open when this resolves. */
  static async start(options: TransferOptions, tell: Teller): Promise<TransferLoop> {
    // The market's modules are loaded only by nodes that trade.
    const market = options.exchange ? await import('./loop-exchange.ts') : null;
    let loop: TransferLoop | null = null;
    const remainingBytes = (key: string): number | null => loop?.remainingBytes(key) ?? null;
    const exchange = market && new market.LoopExchange(options, { remainingBytes, tell });
    loop = new TransferLoop(options, tell, exchange);
    // The engine learns the time before the first connection can come in.
    loop.#engine.tick(instant(performance.now()));
    await loop.#listen();
    loop.#timer = setInterval(() => loop.#engine.tick(instant(performance.now())), TICK_MS);
    return loop;
  }

  /** The port peers reach us at; 0 when we do not listen. */
  get port(): number {
    return this.#engine.listenPort;
  }

  /** What is still missing of a torrent; null while that is unknown. */
  remainingBytes(torrent: string): number | null {
    return this.#runners.get(torrent)?.torrent.remainingBytes ?? null;
  }

  async add(spec: TorrentSpec): Promise<string> {
    const runner: TorrentRunner = new TorrentRunner(spec, {
      engine: this.#engine,
      resumeDir: this.#options.resumeDir,
      announcer: () => this.#announcer(),
      tell: (news) => this.#tell(runner.torrent.key, news),
    });
    const { key } = runner.torrent;
    this.#runners.set(key, runner);
    void runner.start().then(() => this.#engine.tick(instant(performance.now())));
    return key;
  }

  async remove(torrent: string): Promise<void> {
    const runner = this.#runner(torrent);
    this.#runners.delete(torrent);
    await runner.stop();
  }

  async addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void> {
    this.#runner(torrent).torrent.addPeers(peers, 'user');
  }

  async limit(rates: { readonly upload?: number; readonly download?: number }): Promise<void> {
    const limits: { upload?: BytesPerSecond; download?: BytesPerSecond } = {};
    if (rates.upload !== undefined) limits.upload = bytesPerSecond(rates.upload);
    if (rates.download !== undefined) limits.download = bytesPerSecond(rates.download);
    this.#engine.limit(limits);
  }

  async snapshot(): Promise<TransferSnapshot> {
    const torrents = [...this.#runners.values()].map((runner) => runner.torrent.snapshot());
    return { torrents, exchange: this.#exchange?.snapshot() ?? null };
  }

  async settle(): Promise<void> {
    await this.#exchange?.settle();
  }

  async stop(): Promise<void> {
    this.#listener?.close();
    await this.settle();
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    this.#runners.clear();
    this.#engine.stop();
    if (this.#timer) clearInterval(this.#timer);
    this.#transport?.close();
  }

  async #listen(): Promise<void> {
    const { listenPort, bindHost } = this.#options;
    if (listenPort === null) return;
    const where = bindHost === null ? {} : { host: bindHost };
    this.#listener = await listenTcp({ port: listenPort, ...where }, (connection) =>
      this.#engine.accept(connection),
    );
    this.#engine.listenPort = this.#listener.port;
  }

  /** Trackers cost module loading; torrents without them do not pay for it. */
  async #announcer(): Promise<TrackerAnnouncer> {
    const trackers = await import('../../platform/tracker/index.ts');
    this.#transport ??= new trackers.TrackerTransport({ userAgent: CLIENT_NAME });
    return new trackers.TrackerAnnouncer(this.#transport);
  }

  #runner(torrent: string): TorrentRunner {
    const runner = this.#runners.get(torrent);
    if (runner) return runner;
    throw new DaemonError('DAEMON_TORRENT_UNKNOWN', `there is no torrent ${torrent} here`);
  }
}
