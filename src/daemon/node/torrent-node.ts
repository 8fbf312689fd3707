/** Starts what one node consists of, and stops it in the right order. */
import type { EncryptionPolicy } from '../../engine/index.ts';
import { AppError, ZERO_ATTO } from '../../units/index.ts';
import type { DataFolder } from '../data-folder.ts';
import { Transfer, type TransferListener, type TransferOptions } from '../transfer/index.ts';
import type { MarketFace, MarketOptions, NodeMarket, Turnover } from './node-market.ts';

/** How a node is set up. */
export interface NodeOptions {
  readonly data: DataFolder;
  /** Port for peers; 0 lets the system choose, null takes the usual one or any if it is taken. */
  readonly port: number | null;
  /** Address to listen on and dial from; null for all. */
  readonly bindHost: string | null;
  /** Bytes a second, `Infinity` for no limit. */
  readonly uploadLimit: number;
  readonly downloadLimit: number;
  /** Absent: `allow`. */
  readonly encryption?: EncryptionPolicy;
  /** Absent: both. */
  readonly useTcp?: boolean;
  readonly useUtp?: boolean;
  /** Null for an ordinary client, which loads nothing that has to do with money. */
  readonly market: MarketOptions | null;
}

/** Where BitTorrent clients have always listened; routers may forward it already. */
const USUAL_PORT = 6881;

/** A running node. */
export class TorrentNode {
  readonly transfer: Transfer;
  readonly #market: NodeMarket | null;

  /** Set when the transfer thread died: it answers no more. */
  readonly #crash: { failure: Error | null };

  constructor(transfer: Transfer, market: NodeMarket | null, crash: { failure: Error | null }) {
    this.transfer = transfer;
    this.#market = market;
    this.#crash = crash;
  }

  /** Who the node is on the market; null when it does not trade. */
  get market(): MarketFace | null {
    return this.#market?.face ?? null;
  }

  /**
   * Pays what is owed, tells the trackers, writes the resume records, ends the thread; then closes
   * the wallet. Says what was paid and earned while the node ran.
   */
  async stop(): Promise<Turnover> {
    let turnover: Turnover = { paid: ZERO_ATTO, earned: ZERO_ATTO };
    try {
      if (this.#crash.failure === null) await this.transfer.stop();
    } finally {
      if (this.#market) turnover = await this.#market.close();
    }
    return turnover;
  }
}

/** Starts a node; its port is open when this resolves. Throws what wallet, chain and port throw. */
export async function startNode(
  options: NodeOptions,
  listener: TransferListener,
): Promise<TorrentNode> {
  const market = options.market && (await openMarket(options.market));
  const crash: { failure: Error | null } = { failure: null };
  const watched: TransferListener = {
    onNews: (torrent, news) => listener.onNews(torrent, news),
    onCrash: (failure) => {
      crash.failure = failure;
      listener.onCrash(failure);
    },
  };
  const start = (listenPort: number): Promise<Transfer> =>
    Transfer.start(transferOptions(options, { listenPort, market }), watched);
  try {
    return new TorrentNode(await startOnPort(options.port, start), market, crash);
  } catch (failure) {
    await market?.close();
    throw failure;
  }
}

/** Loads what has to do with money, and opens it. */
async function openMarket(options: MarketOptions): Promise<NodeMarket> {
  const { NodeMarket: Loaded } = await import('./node-market.ts');
  return Loaded.open(options);
}

function transferOptions(
  options: NodeOptions,
  { listenPort, market }: { readonly listenPort: number; readonly market: NodeMarket | null },
): TransferOptions {
  return {
    listenPort,
    bindHost: options.bindHost,
    uploadLimit: options.uploadLimit,
    downloadLimit: options.downloadLimit,
    encryption: options.encryption ?? 'allow',
    useTcp: options.useTcp ?? true,
    useUtp: options.useUtp ?? true,
    resumeDir: options.data.resume,
    exchange: market?.settings ?? null,
    moneyPort: market?.newPort() ?? null,
  };
}

async function startOnPort(
  port: number | null,
  start: (listenPort: number) => Promise<Transfer>,
): Promise<Transfer> {
  if (port !== null) return start(port);
  try {
    return await start(USUAL_PORT);
  } catch (failure) {
    if (!(failure instanceof AppError && failure.code === 'PLATFORM_PORT_TAKEN')) throw failure;
    return start(0);
  }
}
