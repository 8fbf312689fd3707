/** Starts what one node consists of, and stops it in the right order. */
import { availableParallelism } from 'node:os';
import type { EncryptionPolicy } from '../../engine/index.ts';
import type { Allocation } from '../../platform/disk/index.ts';
import type { ProxyAddress } from '../../platform/egress/index.ts';
import { AppError, assert, ZERO_ATTO } from '../../units/index.ts';
import type { DataFolder } from '../data-folder.ts';
import type { DhtChoice, NodeDht } from '../dht/index.ts';
import { isLoopback } from '../loopback.ts';
import type { NodeNat, PinholeReach, Reach } from '../nat/index.ts';
import { ratesNow, ScheduledLimits, type ScheduleLine } from '../policy/index.ts';
import {
  Transfer,
  type TransferListener,
  type TransferOptions,
  TransferPool,
  type TransferRates,
} from '../transfer/index.ts';
import { Echoes } from './echoes.ts';
import type { MarketFace, MarketOptions, NodeMarket, Turnover } from './node-market.ts';

/** How a node is set up. */
export interface NodeOptions {
  readonly data: DataFolder;
  /** Port for peers; 0 lets the system choose, null takes the usual one or any if it is taken. */
  readonly port: number | null;
  /** Literal address to listen on and to send from; null for all. */
  readonly bindHost: string | null;
  /**
   * What everything goes through; left out or null, nothing. Neighbours and incoming connections
   * are then off, and with an HTTP proxy the DHT, uTP and UDP trackers, whatever else is said here.
   */
  readonly proxy?: ProxyAddress | null;
  /** Bytes a second, `Infinity` for no limit. */
  readonly uploadLimit: number;
  readonly downloadLimit: number;
  /** Limits by day and hour, in place of those two while one of them holds. */
  readonly schedule?: readonly ScheduleLine[];
  /** Absent: `allow`. */
  readonly encryption?: EncryptionPolicy;
  /** Absent: both. */
  readonly useTcp?: boolean;
  readonly useUtp?: boolean;
  /** Path of a filter list of addresses; left out or null, nobody is filtered. */
  readonly ipList?: string | null;
  /** Whether neighbours are told of torrents, and heard (BEP 14); left out, they are not. */
  readonly useLsd?: boolean;
  /** Whether peers tell us of peers, and we them (BEP 11); left out, they do. */
  readonly usePex?: boolean;
  /** Peers of one torrent, and connections in all where those are more. Default 100 and 500. */
  readonly peersMax?: number;
  /**
   * Transfer threads, each with a core, a port and torrents of its own. Default 1, which is all
   * that one torrent can use.
   */
  readonly shards?: number;
  /** How room for files is taken; left out, they grow as pieces come. */
  readonly allocation?: Allocation;
  /** How the DHT is joined; null or left out does not. */
  readonly dht?: DhtChoice | null;
  /** Whether the router is asked to pass connections on to us; left out, it is not. */
  readonly useNat?: boolean;
  /** Null for an ordinary client, which loads nothing that has to do with money. */
  readonly market: MarketOptions | null;
}

/** What the owner of a node is told. */
export interface NodeListener extends TransferListener {
  /** How the internet reaches us, as far as the router says; each time that it changes. */
  onReach?(reach: Reach): void;
  /** Whom the router's IPv6 firewall lets in; never called without a global IPv6 address. */
  onPinholes?(reach: PinholeReach): void;
}

/** Where BitTorrent clients have always listened; routers may forward it already. */
const USUAL_PORT = 6881;

/** Connections of a node that is not told otherwise: the engine's own number. */
const CONNECTIONS_USUAL = 500;

/** Ports end here. */
const PORT_MAX = 65_535;

/** More than so many threads would wait for disk and network, not for cores. */
const SHARDS_MAX_BY_DEFAULT = 4;

/** How many shards suit this machine when a node is to hold many torrents. */
export function defaultShards(): number {
  return Math.min(availableParallelism(), SHARDS_MAX_BY_DEFAULT);
}

/** What a node has beside its transfer threads. */
interface NodeParts {
  readonly market: NodeMarket | null;
  readonly dht: NodeDht | null;
  readonly nat: Promise<NodeNat> | null;
  readonly limits: ScheduledLimits;
}

/** A running node. */
export class TorrentNode {
  readonly transfer: TransferPool;
  /** null when it was not asked for. */
  readonly dht: NodeDht | null;
  /** The limits of all torrents together; to be changed here, not in `transfer`. */
  readonly limits: ScheduledLimits;
  readonly #market: NodeMarket | null;
  /** Loaded beside the work. */
  readonly #nat: Promise<NodeNat> | null;

  constructor(transfer: TransferPool, { market, dht, limits, nat }: NodeParts) {
    this.transfer = transfer;
    this.dht = dht;
    this.limits = limits;
    this.#market = market;
    this.#nat = nat;
  }

  /** Who the node is on the market; null when it does not trade, or its chain is away still. */
  get market(): MarketFace | null {
    return this.#market?.face ?? null;
  }

  /**
   * Pays what is owed, tells the trackers, writes the resume records, ends the threads; then closes
   * the wallet. Says what was paid and earned while the node ran.
   */
  async stop(): Promise<Turnover> {
    let turnover: Turnover = { paid: ZERO_ATTO, earned: ZERO_ATTO };
    this.limits.stop();
    // Trackers and router are told at the same time.
    const unmapped = this.#nat?.then((nat) => nat.stop());
    try {
      await this.transfer.stop();
    } finally {
      await unmapped;
      await this.dht?.close();
      if (this.#market) turnover = await this.#market.close();
    }
    return turnover;
  }
}

/**
 * Starts a node; its port is open when this resolves. Throws what wallet, chain and port throw; a
 * chain that is away is not waited for longer than some seconds.
 */
export async function startNode(
  options: NodeOptions,
  listener: NodeListener,
): Promise<TorrentNode> {
  const market = options.market && (await openMarket(options.market, listener));
  const hasDht = options.proxy?.kind !== 'http';
  const dht = options.dht && hasDht ? await makeDht(options.dht) : null;
  const { uploadLimit: upload, downloadLimit: download, schedule: lines = [] } = options;
  const rates = { usual: { upload, download }, lines };
  const limits = ratesNow(rates);
  const newVoice = voicesOf(listener);
  try {
    const start = (listenPort: number): Promise<Transfer> =>
      Transfer.start(transferOptions(options, { listenPort, market, dht, limits }), newVoice());
    const shards = await startShards(options, start);
    // Others look for a client's node where its peers are.
    const port = shards[0]?.port ?? 0;
    const { bindHost, proxy = null, data } = options;
    await dht?.open({ port, bindHost, proxy, file: data.dht, onNotice: newVoice().onNotice });
    const transfer = new TransferPool(shards, limits);
    const nat = wantsNat(options) ? startNat({ transfer, dht }, options, listener) : null;
    const scheduled = new ScheduledLimits(transfer, rates, limits);
    return new TorrentNode(transfer, { market, dht, nat, limits: scheduled });
  } catch (failure) {
    await dht?.close();
    await market?.close();
    throw failure;
  }
}

/** A listener for each thread; what several of them notice is told once. */
function voicesOf(listener: NodeListener): () => Required<TransferListener> {
  const echoes = new Echoes();
  let count = 0;
  return () => {
    const voice = count++;
    return {
      onNews: (torrent, news) => listener.onNews(torrent, news),
      onNotice: (line) => {
        if (!echoes.isEcho(voice, line)) listener.onNotice?.(line);
      },
      onCrash: (failure) => listener.onCrash(failure),
    };
  };
}

/** Loads what has to do with money, and opens it. */
async function openMarket(options: MarketOptions, listener: NodeListener): Promise<NodeMarket> {
  const { NodeMarket: Loaded } = await import('./node-market.ts');
  return Loaded.open(options, { tell: (line) => listener.onNotice?.(line) });
}

/** Loads the DHT. */
async function makeDht(choice: DhtChoice): Promise<NodeDht> {
  const { NodeDht: Loaded } = await import('../dht/index.ts');
  return new Loaded(choice);
}

/** Whether a router could pass anybody on to us: nobody comes in past a proxy, or to loopback. */
function wantsNat({ useNat, proxy, bindHost }: NodeOptions): boolean {
  return useNat === true && !proxy && !isLoopback(bindHost);
}

/** Loads the port mapper, and starts it; nothing waits for either. */
async function startNat(
  parts: { readonly transfer: TransferPool; readonly dht: NodeDht | null },
  { bindHost, useTcp = true, useUtp = true }: NodeOptions,
  listener: NodeListener,
): Promise<NodeNat> {
  const { NodeNat: Loaded } = await import('../nat/index.ts');
  const onReach = (reach: Reach): void => listener.onReach?.(reach);
  const onPinholes = (reach: PinholeReach): void => listener.onPinholes?.(reach);
  return Loaded.start({ ...parts, bindHost, useTcp, useUtp, onReach, onPinholes });
}

/** What a shard is given of the node's parts. */
interface ShardParts {
  readonly listenPort: number;
  readonly market: NodeMarket | null;
  readonly dht: NodeDht | null;
  readonly limits: Required<TransferRates>;
}

/** One shard's part. */
function transferOptions(
  options: NodeOptions,
  { listenPort, market, dht, limits }: ShardParts,
): TransferOptions {
  const { data, bindHost, peersMax, shards = 1 } = options;
  return {
    listenPort,
    bindHost,
    proxy: options.proxy ?? null,
    uploadLimit: limits.upload / shards,
    downloadLimit: limits.download / shards,
    useLsd: options.useLsd ?? false,
    usePex: options.usePex ?? true,
    ...(peersMax === undefined ? {} : roomFor(peersMax)),
    encryption: options.encryption ?? 'allow',
    useTcp: options.useTcp ?? true,
    useUtp: options.useUtp ?? true,
    ipList: options.ipList ?? null,
    allocation: options.allocation ?? 'none',
    resumeDir: data.resume,
    filesInUse: data.filesInUse,
    exchange: market?.settingsFor(shards) ?? null,
    moneyPort: market?.newPort() ?? null,
    dhtPort: dht?.newLine() ?? null,
  };
}

/** Whoever wants more peers for a torrent also wants the connections for them. */
function roomFor(peersMax: number): Pick<TransferOptions, 'connectionsMax' | 'peersPerTorrentMax'> {
  return { peersPerTorrentMax: peersMax, connectionsMax: Math.max(peersMax, CONNECTIONS_USUAL) };
}

/** The first shard takes the user's port, the others the ports after it where they are free. */
async function startShards(
  { port, shards = 1 }: NodeOptions,
  start: (listenPort: number) => Promise<Transfer>,
): Promise<readonly Transfer[]> {
  assert(Number.isSafeInteger(shards) && shards > 0, () => `${shards} is no number of threads`);
  const first = port === null ? await startOr(USUAL_PORT, start) : await start(port);
  const rest = await Promise.allSettled(
    Array.from({ length: shards - 1 }, (_, nth) => {
      const wanted = port === 0 ? 0 : first.port + nth + 1;
      return startOr(wanted > PORT_MAX ? 0 : wanted, start);
    }),
  );
  const running = [first, ...rest.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))];
  for (const outcome of rest) {
    if (outcome.status === 'fulfilled') continue;
    await Promise.all(running.map((shard) => shard.stop()));
    throw outcome.reason;
  }
  return running;
}

/** On this port, or when it is taken on any. */
async function startOr(
  port: number,
  start: (listenPort: number) => Promise<Transfer>,
): Promise<Transfer> {
  try {
    return await start(port);
  } catch (failure) {
    if (!(failure instanceof AppError && failure.code === 'PLATFORM_PORT_TAKEN')) throw failure;
    return start(0);
  }
}
