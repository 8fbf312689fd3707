/** Keys on the disk: the wallet's, and the one that publishes. Start with `wallet-file.ts`. */
export { type ItemKeyAccess, openItemKey } from './item-key.ts';
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
