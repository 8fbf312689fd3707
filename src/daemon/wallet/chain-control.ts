/** Running and asking a chain: the embedded one, or any by its URL. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Chain, openChain, type SendJournal, throughTakeover } from '../../chain/index.ts';
import type { Address, Atto } from '../../units/index.ts';
import { chainFolderOf, networkOf, openKeys, type WalletChoice } from './wallet-access.ts';

/** A chain at one moment. */
export interface ChainStatus {
  readonly network: string;
  readonly chainId: number;
  readonly rpcUrls: readonly string[];
  readonly block: number;
  readonly escrow: Address | null;
  /** Whether the contract is where it should be. */
  readonly hasEscrow: boolean;
  readonly gasPriceAtto: Atto;
}

/** Looks at the chain. Throws `ChainError`. */
export function chainStatus(choice: WalletChoice): Promise<ChainStatus> {
  return throughTakeover(networkOf(choice), () => withChain(choice, statusOf));
}

/** A running embedded chain. */
export interface HostedChain {
  readonly status: ChainStatus;
  /** Whether it runs in this process; another one may have been first. */
  readonly isHost: boolean;
  stop(): Promise<void>;
}

/** Starts the embedded chain, or joins the one that runs. Throws `ChainError`. */
export function hostLocalChain(choice: WalletChoice): Promise<HostedChain> {
  return throughTakeover(networkOf(choice), async () => {
    const chain = await open(choice);
    try {
      const status = await statusOf(chain);
      return { status, isHost: chain.local?.isHost ?? false, stop: () => chain.close() };
    } catch (error) {
      await chain.close();
      throw error;
    }
  });
}

/** Gives play money. Only on the local chain. Throws `ChainError`. */
export function grantPlayMoney(
  choice: WalletChoice,
  grant: { readonly to: Address; readonly amount: Atto },
): Promise<void> {
  return withChain(choice, (chain) => chain.faucet(grant.to, grant.amount));
}

/** Moves the local chain's clock; the time after it, in seconds since 1970. Throws `ChainError`. */
export function advanceChain(choice: WalletChoice, seconds: number): Promise<number> {
  return withChain(choice, (chain) => chain.advanceTime(seconds));
}

/** Deploys LaneEscrow with the wallet's coins, and remembers where it is. Throws `ChainError`. */
export async function deployEscrow(choice: WalletChoice): Promise<Address> {
  const keys = await openKeys(choice);
  return withChain(choice, async (chain) => {
    const queue = chain.queueFor(keys.fundingKey, FORGETFUL);
    try {
      const address = await chain.deployEscrow(queue);
      mkdirSync(choice.data.root, { recursive: true });
      writeFileSync(choice.data.escrow(chain.network.chainId), `${address}\n`);
      return address;
    } finally {
      await queue.close();
    }
  });
}

/** A deployment that a crash cuts off is simply made again; it costs its gas, nothing else. */
const FORGETFUL: SendJournal = {
  entries: () => [],
  unsettled: () => [],
  nextNonce: () => 0,
  add: () => {},
  settle: () => {},
};

async function statusOf(chain: Chain): Promise<ChainStatus> {
  const { network } = chain;
  return {
    network: network.name,
    chainId: network.chainId,
    rpcUrls: chain.local ? [chain.local.rpcUrl] : network.rpcUrls,
    block: Number(await chain.rpc.call('eth_blockNumber', [])),
    escrow: network.escrow,
    hasEscrow: await chain.requireEscrow().then(
      () => true,
      () => false,
    ),
    gasPriceAtto: await chain.gasPrice(),
  };
}

async function withChain<T>(choice: WalletChoice, use: (chain: Chain) => Promise<T>): Promise<T> {
  const chain = await open(choice);
  try {
    return await use(chain);
  } finally {
    await chain.close();
  }
}

function open(choice: WalletChoice): Promise<Chain> {
  return openChain({ network: networkOf(choice), localFolder: chainFolderOf(choice) });
}
