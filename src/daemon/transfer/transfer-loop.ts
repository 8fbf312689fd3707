/** The transfer thread's inside: the torrents at work and asleep, and the clock of the engine. */
import type { Engine, PeerAddress, RateLimits } from '../../engine/index.ts';
import { bytesPerSecond, fromHex, instant, toHex } from '../../units/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TrackerTiers } from '../trackers/edit-trackers.ts';
import { Announcing, type AnnouncingDeps } from './announcing.ts';
import { FileClaims } from './file-claims.ts';
import { inTurn } from './in-turn.ts';
import { makeEngine } from './loop-engine.ts';
import type { LoopExchange } from './loop-exchange.ts';
import { LoopNetwork } from './loop-network.ts';
import type {
  OutsidePlace,
  RestartTerms,
  SleepingTorrent,
  TorrentActivity,
  TorrentNews,
  TorrentSpec,
  TrackerView,
  TransferCalls,
  TransferLoad,
  TransferOptions,
  TransferRates,
  TransferSnapshot,
} from './messages.ts';
import type { CheckTurn } from './piece-finder.ts';
import type { PieceRange } from './piece-waits.ts';
import { Sleepers } from './sleepers.ts';
import { TorrentRunner } from './torrent-runner.ts';

/** The engine's tick: fine enough for smooth rate limits, too rare to cost anything. */
const TICK_MS = 50;
/** How often it is looked for torrents that may fall asleep. */
const SLEEP_CHECK_MS = 1_000;
/** A seed stays awake so long after its last peer has left … */
const STAY_AWAKE_MS = 60_000;
/** … unless so many torrents are at work that their memory counts: then a moment. */
const AWAKE_MANY = 500;
const STAY_AWAKE_MS_MANY = 2_000;

/** What trackers are told when nobody can reach us: many refuse 0. libtorrent says 1, too. */
const PORT_BEHIND_PROXY = 1;

/** Tells the main thread what happened. */
export type Teller = (torrent: string, news: TorrentNews) => void;

/** What a loop is made of. */
interface LoopParts {
  readonly tell: Teller;
  readonly notice: (line: string) => void;
  readonly exchange: LoopExchange | null;
}

/** One transfer loop. */
export class TransferLoop implements TransferCalls {
  readonly #options: TransferOptions;
  readonly #tell: Teller;
  readonly #network: LoopNetwork;
  readonly #engine: Engine;
  readonly #exchange: LoopExchange | null;
  readonly #runners = new Map<string, TorrentRunner>();
  readonly #sleepers: Sleepers;
  /** Files are hashed torrent by torrent: two at a time would only move the disk's head. */
  readonly #checkTurn: CheckTurn = inTurn();
  readonly #claims: FileClaims;
  #sleepCheckAt = 0;
  #timer: NodeJS.Timeout | null = null;

  private constructor(options: TransferOptions, { tell, notice, exchange }: LoopParts) {
    this.#options = options;
    this.#claims = new FileClaims(options.filesInUse);
    const onDhtOpen = (udpPort: number): void => {
      this.#engine.dhtPort = udpPort;
    };
    const network = new LoopNetwork(options, { notice, onDhtOpen });
    this.#network = network;
    this.#tell = (key, news) => tell(key, network.egress.isCutOff ? blameless(news) : news);
    this.#exchange = exchange;
    const rouse = (key: string): boolean => this.#sleepers.call(key);
    this.#engine = makeEngine(options, { network, exchange, rouse });
    this.#sleepers = new Sleepers({
      depsFor: (key) => this.#announcingDeps(key),
      call: (key) => this.#tell(key, { kind: 'wanted' }),
      expect: (key, isExpected) => {
        if (isExpected) this.#engine.expect(fromHex(key));
        else this.#engine.expectNoMore(fromHex(key));
      },
    });
  }

  /** Starts a loop; its port is open when this resolves. */
  static async start(
    options: TransferOptions,
    tell: Teller,
    notice: (line: string) => void = () => {},
  ): Promise<TransferLoop> {
    // The market's modules are loaded only by nodes that trade.
    const market = options.exchange ? await import('./loop-exchange.ts') : null;
    let loop: TransferLoop | null = null;
    const remainingBytes = (key: string): number | null => loop?.remainingBytes(key) ?? null;
    const exchange = market && new market.LoopExchange(options, { remainingBytes, tell });
    const started = new TransferLoop(options, { tell, notice, exchange });
    loop = started;
    // The engine learns the time before the first connection can come in.
    started.#engine.tick(instant(performance.now()));
    await started.#network.open(started.#engine, (key) => void started.#sleepers.call(key));
    started.#timer = setInterval(() => started.#tick(), TICK_MS);
    return started;
  }

  /** The port we listen on; 0 when we do not. */
  get port(): number {
    return this.#network.port;
  }

  /** What is still missing of a torrent; null while that is unknown. */
  remainingBytes(torrent: string): number | null {
    return this.#runners.get(torrent)?.torrent.remainingBytes ?? null;
  }

  async add(spec: TorrentSpec): Promise<string> {
    const runner: TorrentRunner = new TorrentRunner(spec, {
      engine: this.#engine,
      resumeDir: this.#options.resumeDir,
      checkTurn: this.#checkTurn,
      claims: this.#claims,
      allocation: this.#options.allocation ?? 'none',
      webSeeds: this.#network.webSeeds,
      announcingFor: (announced) => {
        const key = toHex(announced.infoHash);
        return this.#sleepers.take(key) ?? new Announcing(announced, this.#announcingDeps(key));
      },
      tell: (news) => this.#tell(runner.torrent.key, news),
    });
    const { key } = runner.torrent;
    this.#runners.set(key, runner);
    if (spec.limits) runner.torrent.limit(rateLimits(spec.limits));
    void runner.start().then(() => this.#engine.tick(instant(performance.now())));
    return key;
  }

  async addSleeping(torrents: readonly SleepingTorrent[]): Promise<void> {
    this.#sleepers.add(torrents.filter(({ torrent }) => !this.#runners.has(torrent)));
  }

  async remove(torrent: string): Promise<TorrentActivity | null> {
    if (this.#sleepers.has(torrent)) {
      await this.#sleepers.take(torrent)?.stop();
      return null;
    }
    const runner = this.#runner(torrent);
    this.#runners.delete(torrent);
    await runner.stop();
    return activityOf(runner);
  }

  async retry(torrent: string): Promise<void> {
    this.#runner(torrent).files.retry();
  }

  async rest(torrent: string): Promise<boolean> {
    const runner = this.#runners.get(torrent);
    await runner?.files.rest();
    return runner !== undefined;
  }

  async goOn(torrent: string, terms: RestartTerms): Promise<void> {
    await this.#runner(torrent).files.goOn(terms);
  }

  async addPeers(torrent: string, peers: readonly PeerAddress[]): Promise<void> {
    this.#runner(torrent).torrent.addPeers(peers, 'user');
  }

  async prioritiseFiles(torrent: string, priorities: readonly number[]): Promise<void> {
    await this.#runner(torrent).files.prioritise(priorities);
  }

  async setSequential(torrent: string, isSequential: boolean): Promise<void> {
    this.#runner(torrent).wishes.setSequential(isSequential);
  }

  async setTrackers(torrent: string, tiers: TrackerTiers): Promise<void> {
    await this.#announcing(torrent).setTrackers(tiers);
  }

  async trackers(torrent: string): Promise<readonly TrackerView[]> {
    return this.#announcing(torrent).view();
  }

  async whenHere(torrent: string, range: PieceRange, withinMs: number): Promise<void> {
    await this.#runner(torrent).wishes.whenHere(range, withinMs);
  }

  async forget(torrent: string, range: PieceRange): Promise<void> {
    this.#runner(torrent).wishes.forget(range);
  }

  async limit(rates: TransferRates, torrent?: string): Promise<void> {
    const limits = rateLimits(rates);
    if (torrent === undefined) this.#engine.limit(limits);
    else this.#runner(torrent).torrent.limit(limits);
  }

  async reachedAt(outside: ReadonlyMap<number, OutsidePlace>): Promise<void> {
    const engine = this.#engine;
    const { port, host } = outside.get(this.port) ?? { port: this.port, host: null };
    if (host !== null) engine.own.learn(host);
    if (port === engine.listenPort) return;
    engine.listenPort = port;
    for (const { announcing } of this.#runners.values()) announcing.portChanged();
    this.#sleepers.portChanged();
  }

  async load(): Promise<TransferLoad> {
    const { uploads, downloads } = this.#engine;
    return { upload: uploads.takeUsage(), download: downloads.takeUsage() };
  }

  async snapshot(): Promise<TransferSnapshot> {
    const torrents = [...this.#runners.values()].map((runner) => runner.torrent.snapshot());
    return { torrents, exchange: this.#exchange?.snapshot() ?? null };
  }

  async activity(): Promise<readonly TorrentActivity[]> {
    return [...this.#runners.values()].map(activityOf);
  }

  async settle(): Promise<void> {
    await this.#exchange?.settle();
  }

  async stop(): Promise<void> {
    this.#network.stopListening();
    await this.settle();
    const runners = [...this.#runners.values()];
    await Promise.all([this.#sleepers.stop(), ...runners.map((runner) => runner.stop())]);
    this.#runners.clear();
    this.#engine.stop();
    await this.#network.close();
    if (this.#timer) clearInterval(this.#timer);
    this.#claims.close();
  }

  #tick(): void {
    const now = performance.now();
    this.#engine.tick(instant(now));
    if (now - this.#sleepCheckAt < SLEEP_CHECK_MS) return;
    this.#sleepCheckAt = now;
    this.#network.tick(instant(now));
    const stayMs = this.#runners.size > AWAKE_MANY ? STAY_AWAKE_MS_MANY : STAY_AWAKE_MS;
    for (const [key, runner] of this.#runners) {
      runner.files.lookIfDue(now);
      if (runner.idleMs(now) < stayMs) continue;
      this.#runners.delete(key);
      this.#sleepers.lay(key, runner.announcing);
      this.#tell(key, { kind: 'asleep' });
      void runner.fallAsleep();
    }
  }

  #announcingDeps(key: string): AnnouncingDeps {
    return {
      localPeerId: this.#engine.localPeerId,
      port: () => (this.#network.egress.hasProxy ? PORT_BEHIND_PROXY : this.#engine.listenPort),
      announcer: () => this.#network.announcer(),
      dht: this.#network.dht,
      tell: (news) => this.#tell(key, news),
      onPeersWhileAsleep: () => this.#sleepers.call(key),
      onExternalHost: (host) => this.#engine.own.learn(host),
    };
  }

  /** Of a torrent at work or asleep. */
  #announcing(torrent: string): Announcing {
    return this.#sleepers.announcing(torrent) ?? this.#runner(torrent).announcing;
  }

  #runner(torrent: string): TorrentRunner {
    const runner = this.#runners.get(torrent);
    if (runner) return runner;
    throw new DaemonError('DAEMON_TORRENT_UNKNOWN', `there is no torrent ${torrent} here`);
  }
}

function rateLimits({ upload, download }: TransferRates): RateLimits {
  return {
    ...(upload === undefined ? {} : { upload: bytesPerSecond(upload) }),
    ...(download === undefined ? {} : { download: bytesPerSecond(download) }),
  };
}

function activityOf({ torrent }: TorrentRunner): TorrentActivity {
  return {
    torrent: torrent.key,
    phase: torrent.phase,
    haveBytes: torrent.haveBytes,
    receivedBytes: torrent.received.total,
    sentBytes: torrent.sent.total,
    receiveRate: torrent.received.rate,
    sendRate: torrent.sent.rate,
    peerCount: torrent.peers.size,
  };
}

/** Without a way out no tracker is at fault, and people are told of it already. */
function blameless(news: TorrentNews): TorrentNews {
  return news.kind === 'tracker' ? { ...news, isFailure: false } : news;
}
