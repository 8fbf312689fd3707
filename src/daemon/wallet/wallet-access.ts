/** From a user's choice of chain and wallet to keys, and to the money service. */
import { existsSync, readFileSync } from 'node:fs';
import { chooseNetwork, type NetworkChoice } from '../../chain/index.ts';
import {
  createWallet,
  importPhrase,
  KeystoreError,
  type NewWallet,
  openLocalKey,
  readWalletAddress,
  unlockWallet,
  type WalletKeys,
} from '../../platform/keystore/index.ts';
import { type Address, type Atto, parseAddress } from '../../units/index.ts';
import type { DataFolder } from '../data-folder.ts';
import { type MoneyService, openMoney } from '../money/index.ts';

/** Which wallet, on which chain. */
export interface WalletChoice {
  readonly data: DataFolder;
  readonly network: NetworkChoice;
  /** The embedded chain's folder; null takes the one in `data`. Nodes may share one. */
  readonly localChainFolder: string | null;
  /** Called when the wallet is encrypted. `isNew`: it is being chosen, and worth asking twice. */
  readonly password: (isNew: boolean) => Promise<string>;
}

/** Opens the wallet's money. Throws the errors of keystore, chain, database and money. */
export async function openWallet(
  choice: WalletChoice,
  autoDepositMax?: Atto,
): Promise<MoneyService> {
  return openMoneyOf(choice, await openKeys(choice), autoDepositMax);
}

/** The money of a wallet whose keys are known. Throws the errors of chain, database and money. */
export function openMoneyOf(
  choice: WalletChoice,
  keys: WalletKeys,
  autoDepositMax?: Atto,
): Promise<MoneyService> {
  return openMoney({
    dataFolder: choice.data.root,
    network: networkOf(choice),
    keys,
    localChainFolder: chainFolderOf(choice),
    ...(autoDepositMax === undefined ? {} : { autoDepositMax }),
  });
}

/**
 * The keys to use. On the local chain a node without a wallet gets a key for play money; everywhere
 * else it must have a wallet.
 */
export async function openKeys(choice: WalletChoice): Promise<WalletKeys> {
  const { data } = choice;
  if (existsSync(data.wallet)) {
    return unlockWallet({ path: data.wallet, password: await choice.password(false) });
  }
  if (isLocal(choice)) return openLocalKey(data.localKey);
  throw new KeystoreError(
    'KEYSTORE_MISSING',
    `there is no wallet in ${data.root}: make one with 'bidwidth wallet create'`,
    { path: data.wallet },
  );
}

/** The account, without a password where that can be. Throws KEYSTORE_MISSING. */
export async function walletAddress(choice: WalletChoice): Promise<Address> {
  return readWalletAddress(choice.data.wallet) ?? (await openKeys(choice)).address;
}

/** Makes a wallet from new words. Throws KEYSTORE_EXISTS before it asks for a password. */
export async function createWalletFile(choice: WalletChoice): Promise<NewWallet> {
  refuseSecond(choice.data);
  return createWallet({ path: choice.data.wallet, password: await choice.password(true) });
}

/** Makes a wallet from existing words. */
export async function importWalletFile(choice: WalletChoice, phrase: string): Promise<WalletKeys> {
  refuseSecond(choice.data);
  const password = await choice.password(true);
  return importPhrase({ path: choice.data.wallet, password }, phrase);
}

/** The network, with the contract's address that an earlier deployment left behind. */
export function networkOf({ data, network }: WalletChoice): NetworkChoice {
  if (network.escrow !== undefined) return network;
  const path = data.escrow(chooseNetwork(network).chainId);
  if (!existsSync(path)) return network;
  return { ...network, escrow: parseAddress(readFileSync(path, 'utf8').trim()) };
}

/** Where the embedded chain of a choice lives. */
export function chainFolderOf({ data, localChainFolder }: WalletChoice): string {
  return localChainFolder ?? data.localChain;
}

function isLocal({ network }: WalletChoice): boolean {
  return network.name === 'local';
}

function refuseSecond({ wallet }: DataFolder): void {
  if (!existsSync(wallet)) return;
  throw new KeystoreError(
    'KEYSTORE_EXISTS',
    `${wallet} exists already: move it away first, or use another folder with --data-dir`,
    { path: wallet },
  );
}
