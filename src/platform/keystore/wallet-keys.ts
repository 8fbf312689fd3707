/** The two keys of a node, and how both come from one secret. */
import { createHash, hkdfSync } from 'node:crypto';
import { type Address, assert, parseAddress } from '../../units/index.ts';
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

/** The funding key at m/44'/60'/0'/0/0 of an English BIP-39 phrase (BIP-44). */
export async function keyOfPhrase(phrase: string): Promise<Uint8Array> {
  const { english, mnemonicToAccount } = await import('viem/accounts');
  const words = phrase.trim().toLowerCase().split(/\s+/);
  if (!isPhrase(words, english)) {
    throw new KeystoreError(
      'KEYSTORE_PHRASE',
      `this is not a recovery phrase (${words.length} words read): check spelling and order`,
      { wordCount: words.length },
    );
  }
  const key = mnemonicToAccount(words.join(' ')).getHdKey().privateKey;
  assert(key, 'a path of private derivation ends in a private key');
  return key;
}

/** Twelve new BIP-39 words. */
export async function newPhrase(): Promise<string> {
  const { english, generateMnemonic } = await import('viem/accounts');
  return generateMnemonic(english, 128);
}

/** Whether the checksum of BIP-39 is right. Needed because viem derives keys from any text. */
function isPhrase(words: readonly string[], list: readonly string[]): boolean {
  if (words.length < 12 || words.length > 24 || words.length % 3 !== 0) return false;
  let bits = '';
  for (const word of words) {
    const index = list.indexOf(word);
    if (index < 0) return false;
    bits += index.toString(2).padStart(11, '0');
  }
  const entropyBits = (words.length / 3) * 32;
  const entropy = Uint8Array.from({ length: entropyBits / 8 }, (_, at) =>
    Number.parseInt(bits.slice(at * 8, at * 8 + 8), 2),
  );
  const checksum = createHash('sha256').update(entropy).digest()[0] ?? 0;
  return checksum.toString(2).padStart(8, '0').startsWith(bits.slice(entropyBits));
}
