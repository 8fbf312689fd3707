/** Options that every command with a running node has, and how its node is started. */
import { DataFolder, sharedFolder, type TorrentSource } from '../../daemon/index.ts';
import {
  type Allocation,
  type EncryptionPolicy,
  type MarketOptions,
  type NodeListener,
  type NodeOptions,
  startNode,
  type TorrentNode,
} from '../../daemon/node/index.ts';
import type { ScheduleLine } from '../../daemon/policy/index.ts';
import type { TorrentSpec } from '../../daemon/transfer/index.ts';
import { AppError, type BytesPerSecond, UNLIMITED } from '../../units/index.ts';
import type { HostPort } from '../arguments.ts';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { isChainHere, type WalletOptions, walletChoice } from './wallet-options.ts';
import { tellOfProxy, type WayOutOptions, wayOut } from './way-out.ts';

/** As commander collects them. */
export interface NetworkOptions extends WalletOptions, WayOutOptions {
  readonly port?: number;
  readonly uploadLimit?: BytesPerSecond;
  readonly downloadLimit?: BytesPerSecond;
  readonly schedule?: readonly ScheduleLine[];
  readonly encryption: EncryptionPolicy;
  readonly tcp: boolean;
  readonly utp: boolean;
  readonly ipFilter?: string;
  readonly maxPeers?: number;
  readonly recheck?: true;
  readonly allocate?: Allocation;
  readonly peer?: readonly HostPort[];
  readonly trackers: boolean;
  readonly addTracker?: readonly string[];
  readonly lsd: boolean;
  readonly pex: boolean;
  readonly nat: boolean;
  readonly dht: boolean;
  readonly dhtNode?: readonly HostPort[];
}

/** Which sides trade, and how. */
export type Trade = Omit<MarketOptions, 'wallet'>;

/** Which trackers a command announces to. Throws DAEMON_TRACKER_INVALID, and `WireError`. */
export async function trackerChoice(
  source: TorrentSource,
  { trackers, addTracker: urls = [] }: NetworkOptions,
): Promise<Pick<TorrentSpec, 'useTrackers' | 'trackers'>> {
  if (urls.length === 0) return { useTrackers: trackers };
  const { editTrackers, trackersOf } = await import('../../daemon/trackers/index.ts');
  const own = trackers ? trackersOf(source) : [];
  return { useTrackers: true, trackers: editTrackers(own, { kind: 'add', urls }) };
}

/** The node's side of the options; `trade` null for an ordinary client. */
export function nodeOptions(options: NetworkOptions, trade: Trade | null): NodeOptions {
  if (!options.tcp && !options.utp) {
    throw new CliError('CLI_USAGE', 'peers are reached by TCP or uTP: leave one of both on');
  }
  const way = wayOut(options);
  if (way.proxy) checkProxied({ options, trade, proxy: way.proxy });
  return {
    data: new DataFolder(options.dataDir, sharedFolder(process.env)),
    port: options.port ?? null,
    ...way,
    uploadLimit: options.uploadLimit ?? UNLIMITED,
    downloadLimit: options.downloadLimit ?? UNLIMITED,
    schedule: options.schedule ?? [],
    encryption: options.encryption,
    useTcp: options.tcp,
    useUtp: options.utp,
    useLsd: options.lsd,
    usePex: options.pex,
    allocation: options.allocate ?? 'none',
    useNat: options.nat,
    ipList: options.ipFilter ?? null,
    ...(options.maxPeers === undefined ? {} : { peersMax: options.maxPeers }),
    dht: options.dht ? { nodes: options.dhtNode ?? [], useRouters: true } : null,
    market: trade && { ...trade, wallet: walletChoice(options) },
  };
}

interface ProxiedChoice {
  readonly options: NetworkOptions;
  readonly trade: Trade | null;
  readonly proxy: NonNullable<NodeOptions['proxy']>;
}

/** What would go past a proxy is refused where leaving it out would not be what was asked for. */
function checkProxied({ options, trade, proxy }: ProxiedChoice): void {
  if (!options.tcp && proxy.kind === 'http') {
    const text = 'an HTTP proxy carries TCP alone: leave out --no-tcp, or take a SOCKS5 proxy';
    throw new CliError('CLI_USAGE', text);
  }
  if (trade && !isChainHere(options)) {
    const text = 'chains are asked directly, not through the proxy: trade on the local one';
    throw new CliError('CLI_USAGE', `${text}, or name a node of this machine with --rpc`);
  }
}

/**
 * Starts a node. Money is never a condition: without a wallet or a chain that answers it starts all
 * the same, as an ordinary client, and says so.
 */
export async function startMarketNode(
  { output }: Context,
  options: NodeOptions,
  listener: NodeListener,
): Promise<TorrentNode> {
  tellOfProxy(output, options);
  if (options.market === null) return startNode(options, listener);
  try {
    const node = await startNode(options, listener);
    const { market } = node;
    if (market) {
      output.event('market', { ...market });
      output.line(`trading as ${market.account} on chain ${market.chainId}; ${market.signatures}`);
    }
    return node;
  } catch (failure) {
    if (!(failure instanceof AppError) || !isAboutMoney(failure.code)) throw failure;
    output.notice(`going on without the market: ${failure.message}`);
    return startNode({ ...options, market: null }, listener);
  }
}

/** Trouble that an ordinary client does not have. A wrong password is a mistake to be mended. */
function isAboutMoney(code: string): boolean {
  return code === 'KEYSTORE_MISSING' || code.startsWith('CHAIN_');
}
