/** Options that choose a wallet and its chain. */
import { DataFolder } from '../../daemon/index.ts';
import type { WalletChoice } from '../../daemon/wallet/index.ts';
import type { Address } from '../../units/index.ts';
import { readPassword } from '../password.ts';

/** As commander collects them. */
export interface WalletOptions {
  readonly dataDir: string;
  readonly network: string;
  readonly rpc?: readonly string[];
  readonly chainId?: number;
  readonly escrow?: Address;
  readonly chainDir?: string;
  readonly passwordFile?: string;
}

/** The daemon's side of them. */
export function walletChoice(options: WalletOptions): WalletChoice {
  const { network: name, rpc, chainId, escrow, passwordFile } = options;
  return {
    data: new DataFolder(options.dataDir),
    network: {
      name,
      ...(rpc === undefined ? {} : { rpcUrls: rpc }),
      ...(chainId === undefined ? {} : { chainId }),
      ...(escrow === undefined ? {} : { escrow }),
    },
    localChainFolder: options.chainDir ?? null,
    password: (isNew) => readPassword({ file: passwordFile ?? null, of: 'wallet' }, isNew),
  };
}

/** Whether the chain is asked on this machine alone. */
export function isChainHere({ network, rpc }: WalletOptions): boolean {
  if (rpc === undefined) return network === 'local';
  return rpc.every((url) =>
    /^https?:\/\/(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)(?:[:/]|$)/i.test(url),
  );
}
