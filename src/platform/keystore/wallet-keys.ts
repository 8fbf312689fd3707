/** The two keys of a node, and how both come from one secret. */
import { hkdfSync } from 'node:crypto';
import { type Address, parseAddress } from '../../units/index.ts';
import { KeystoreError } from './keystore-error.ts';

/** What an unlocked wallet gives the node. Keep it in memory only; never log it. */
export interface WalletKeys {
  /** The funding account: holds the coins and receives earnings. */
  readonly address: Address;
  /** 32 bytes. Signs transactions. */
  readonly fundingKey: Uint8Array;
  /** 32 bytes. Signs vouchers; knowing it does not help to find the funding key. */
  readonly hotKey: Uint8Array;
}

/** Changing this text would change every node's signer. */
const HOT_KEY_LABEL = 'bidwidth voucher signer 1';

/**
 * Both keys from the funding key.
 *
 * The signer is derived (HKDF-SHA-256), not random, so the twelve words alone bring back the whole
 * node: vouchers of lanes that are still open can be signed after a restore.
 */
export async function walletKeys(fundingKey: Uint8Array): Promise<WalletKeys> {
  const { privateKeyToAddress } = await import('viem/accounts');
  const hotKey = new Uint8Array(hkdfSync('sha256', fundingKey, '', HOT_KEY_LABEL, 32));
  const address = privateKeyToAddress(`0x${Buffer.from(fundingKey).toString('hex')}`);
  return { address: parseAddress(address), fundingKey: Uint8Array.from(fundingKey), hotKey };
}

/** The funding key at m/44'/60'/0'/0/0 of a BIP-39 phrase (BIP-44). */
export async function keyOfPhrase(phrase: string): Promise<Uint8Array> {
  const { mnemonicToAccount } = await import('viem/accounts');
  const words = phrase.trim().toLowerCase().split(/\s+/);
  try {
    const key = mnemonicToAccount(words.join(' ')).getHdKey().privateKey;
    if (key) return key;
  } catch (cause) {
    // The cause may quote the words: it is not passed on.
    throw wrongPhrase(words.length, cause instanceof Error ? cause.name : 'unknown');
  }
  throw wrongPhrase(words.length, 'no key');
}

/** Twelve new BIP-39 words. */
export async function newPhrase(): Promise<string> {
  const { english, generateMnemonic } = await import('viem/accounts');
  return generateMnemonic(english, 128);
}

function wrongPhrase(wordCount: number, reason: string): KeystoreError {
  return new KeystoreError(
    'KEYSTORE_PHRASE',
    `this is not a recovery phrase (${wordCount} words read): check spelling and order`,
    { wordCount, reason },
  );
}
