/** The wallet on the disk. Start with `wallet-file.ts`. */
export { KeystoreError, type KeystoreErrorCode } from './keystore-error.ts';
export { openLocalKey } from './local-key.ts';
export { findPassword } from './password.ts';
export {
  createWallet,
  importPhrase,
  type NewWallet,
  readWalletAddress,
  unlockWallet,
  type WalletAccess,
} from './wallet-file.ts';
export type { WalletKeys } from './wallet-keys.ts';
