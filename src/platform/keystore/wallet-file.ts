/** The encrypted wallet file: Web3 Secret Storage version 3, which other wallets read as well. */
import { readFileSync } from 'node:fs';
import { type Address, parseAddress } from '../../units/index.ts';
import { KeystoreError } from './keystore-error.ts';
import { writeNewSecret } from './new-file.ts';
import { checkNewPassword } from './password.ts';
import { keyOfPhrase, newPhrase, type WalletKeys, walletKeys } from './wallet-keys.ts';

/** Where the wallet is and what protects it. */
export interface WalletAccess {
  readonly path: string;
  readonly password: string;
  /** Work factor N of scrypt, a power of two. Default 262,144: about a second and 256 MB. */
  readonly scryptCost?: number;
}

/**
 * A wallet just made, and the twelve words that bring it back: show them once, store them nowhere.
 */
export interface NewWallet {
  readonly keys: WalletKeys;
  readonly phrase: string;
}

const SCRYPT_COST_DEFAULT = 262_144;

/** Makes a wallet from twelve new words. Never overwrites one. Throws `KeystoreError`. */
export async function createWallet(access: WalletAccess): Promise<NewWallet> {
  const phrase = await newPhrase();
  return { keys: await importPhrase(access, phrase), phrase };
}

/** Makes a wallet from existing BIP-39 words. Never overwrites one. Throws `KeystoreError`. */
export async function importPhrase(access: WalletAccess, phrase: string): Promise<WalletKeys> {
  checkNewPassword(access.password);
  const keys = await walletKeys(await keyOfPhrase(phrase));
  const { Wallet } = await import('@ethereumjs/wallet');
  const stored = await Wallet.fromPrivateKey(keys.fundingKey).toV3(access.password, {
    kdf: 'scrypt',
    n: access.scryptCost ?? SCRYPT_COST_DEFAULT,
  });
  writeNewSecret(access.path, `${JSON.stringify(stored, null, 2)}\n`);
  return keys;
}

/** Decrypts the wallet: about a second. Throws `KeystoreError`. */
export async function unlockWallet(access: WalletAccess): Promise<WalletKeys> {
  const text = readWallet(access.path);
  if (text === null) throw missing(access.path);
  // Reads the outside first, so that damage is not mistaken for a wrong password.
  const address = addressInside(text, access.path);
  const { Wallet } = await import('@ethereumjs/wallet');
  let fundingKey: Uint8Array;
  try {
    fundingKey = (await Wallet.fromV3(text, access.password, true)).getPrivateKey();
  } catch (cause) {
    throw new KeystoreError(
      'KEYSTORE_PASSWORD',
      `wrong password for the wallet in ${access.path}`,
      { path: access.path },
      { cause },
    );
  }
  const keys = await walletKeys(fundingKey);
  if (keys.address !== address) throw damaged(access.path);
  return keys;
}

/** The account of the wallet without its password; null when there is no wallet. */
export function readWalletAddress(path: string): Address | null {
  const text = readWallet(path);
  return text === null ? null : addressInside(text, path);
}

function readWallet(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function addressInside(text: string, path: string): Address {
  try {
    const stored: unknown = JSON.parse(text);
    if (isV3(stored)) return parseAddress(`0x${stored.address.replace(/^0x/, '')}`);
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function isV3(stored: unknown): stored is { readonly version: 3; readonly address: string } {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    'version' in stored &&
    stored.version === 3 &&
    'crypto' in stored &&
    'address' in stored &&
    typeof stored.address === 'string'
  );
}

function missing(path: string): KeystoreError {
  return new KeystoreError(
    'KEYSTORE_MISSING',
    `no wallet in ${path}: make one with 'bidwidth wallet create'`,
    { path },
  );
}

function damaged(path: string, cause?: unknown): KeystoreError {
  const text = `${path} is not a wallet file or is damaged: restore it from your twelve words`;
  return new KeystoreError('KEYSTORE_DAMAGED', text, { path }, { cause });
}
