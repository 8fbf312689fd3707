/** The chains Bidwidth knows by name, and what differs between them. */
import { type Address, type Atto, atto, parseAddress } from '../units/index.ts';
import { ChainError } from './chain-error.ts';

/** Names of the chains that need no settings. */
export type NetworkName = 'local' | 'bttc' | 'bttc-donau';

/** A chain and how it wants to be treated. */
export interface Network {
  /** A `NetworkName`, or `custom`. */
  readonly name: string;
  readonly chainId: number;
  /** In order of preference. Empty for `local`: the embedded chain says where it listens. */
  readonly rpcUrls: readonly string[];
  /** Where LaneEscrow is; null when it must be given or deployed. */
  readonly escrow: Address | null;
  /** A gas price below this is not accepted, whatever a node says, in atto. */
  readonly gasPriceMin: Atto;
  /** Blocks on top of a block before small sums in it count, and before large ones do. */
  readonly depth: { readonly small: number; readonly large: number };
  /** From this sum on, the large depth is waited for, in atto. */
  readonly largeSum: Atto;
  /** How often to look for new blocks. */
  readonly pollMs: number;
  readonly blockExplorer: string | null;
}

/** Chain id of the embedded chain; not registered to anybody. */
export const LOCAL_CHAIN_ID = 31_199;

/**
 * Where LaneEscrow is on every embedded chain: the first contract of a fixed account.
 *
 * Not CREATE2: the address would change with every byte of the contract.
 */
export const LOCAL_ESCROW: Address = parseAddress('0x88e204bb89ade826b28d1fc429977921ba1df166');

const GWEI = 10n ** 9n;
const BTT = 10n ** 18n;

/** One gwei, so that gas is small beside the amounts of a demonstration. */
export const LOCAL_GAS_PRICE: Atto = atto(GWEI);

/** 16 blocks for small sums and a sprint of 64 for large: BTTC's producers change by the sprint. */
const BTTC_DEPTH = { small: 16, large: 64 } as const;

/** At about 4e-7 dollars a BTT: above ten cents a reorganisation begins to be worth a try. */
const BTTC_LARGE_SUM = atto(250_000n * BTT);

const NETWORKS: Readonly<Record<NetworkName, Network>> = {
  local: {
    name: 'local',
    chainId: LOCAL_CHAIN_ID,
    rpcUrls: [],
    escrow: LOCAL_ESCROW,
    gasPriceMin: LOCAL_GAS_PRICE,
    depth: { small: 0, large: 0 },
    largeSum: BTTC_LARGE_SUM,
    pollMs: 10,
    blockExplorer: null,
  },
  bttc: {
    name: 'bttc',
    chainId: 199,
    rpcUrls: ['https://rpc.bt.io', 'https://bttc.trongrid.io'],
    escrow: null,
    gasPriceMin: atto(300_000n * GWEI),
    depth: BTTC_DEPTH,
    largeSum: BTTC_LARGE_SUM,
    pollMs: 2_000,
    blockExplorer: 'https://bttcscan.com',
  },
  'bttc-donau': {
    name: 'bttc-donau',
    chainId: 1029,
    rpcUrls: ['https://pre-rpc.bt.io'],
    escrow: null,
    gasPriceMin: atto(300_000n * GWEI),
    depth: BTTC_DEPTH,
    largeSum: BTTC_LARGE_SUM,
    pollMs: 2_000,
    blockExplorer: 'https://testnet.bttcscan.com',
  },
};

/** What a user may say instead of a name, or on top of one. */
export interface NetworkChoice {
  /** `local`, `bttc`, `bttc-donau`, or any other name together with `chainId` and `rpcUrls`. */
  readonly name: string;
  readonly chainId?: number;
  readonly rpcUrls?: readonly string[];
  readonly escrow?: Address;
}

/**
 * The network for a user's choice. Throws `CHAIN_RPC` when a chain of our own lacks its settings.
 */
export function chooseNetwork(choice: NetworkChoice): Network {
  const { name, chainId, rpcUrls, escrow } = choice;
  const known = isNetworkName(name) ? NETWORKS[name] : null;
  if (known) {
    return {
      ...known,
      chainId: chainId ?? known.chainId,
      rpcUrls: rpcUrls ?? known.rpcUrls,
      escrow: escrow ?? known.escrow,
    };
  }
  if (chainId === undefined || rpcUrls === undefined || rpcUrls.length === 0) {
    throw new ChainError(
      'CHAIN_RPC',
      `network '${name}' is not known: use local, bttc or bttc-donau, or give a chain id and a URL`,
      { name },
    );
  }
  return {
    ...NETWORKS.bttc,
    name,
    chainId,
    rpcUrls,
    escrow: escrow ?? null,
    gasPriceMin: atto(0n),
    blockExplorer: null,
  };
}

/** How many blocks must lie on top before `sum` counts. */
export function depthFor(network: Network, sum: Atto): number {
  return sum >= network.largeSum ? network.depth.large : network.depth.small;
}

function isNetworkName(name: string): name is NetworkName {
  return Object.hasOwn(NETWORKS, name);
}
