/** The wallet and its chain as commands use them. Start with `wallet-access.ts`. */
export { findPassword } from '../../platform/keystore/index.ts';
export {
  advanceChain,
  type ChainStatus,
  chainStatus,
  deployEscrow,
  grantPlayMoney,
  hostLocalChain,
} from './chain-control.ts';
export {
  createWalletFile,
  importWalletFile,
  networkOf,
  openKeys,
  openMoneyOf,
  openWallet,
  type WalletChoice,
  walletAddress,
} from './wallet-access.ts';
