/** The throwaway key of the embedded chain: unencrypted, because its coins are worth nothing. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fromHex } from '../../units/index.ts';
import { KeystoreError } from './keystore-error.ts';
import { writeNewSecret } from './new-file.ts';
import { type WalletKeys, walletKeys } from './wallet-keys.ts';

/** Says in the file itself what it is not good for. */
const WARNING = 'NOT ENCRYPTED. For the local play-money chain only: never send real coins here.';

/** Opens the local key, making it at first use. For `--network local` only. */
export async function openLocalKey(path: string): Promise<WalletKeys> {
  if (!existsSync(path)) {
    const unencryptedKey = randomBytes(32).toString('hex');
    writeNewSecret(path, `${JSON.stringify({ warning: WARNING, unencryptedKey }, null, 2)}\n`);
  }
  return walletKeys(readKey(path));
}

function readKey(path: string): Uint8Array {
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof stored === 'object' && stored !== null && 'unencryptedKey' in stored) {
      const key = fromHex(String(stored.unencryptedKey));
      if (key.length === 32) return key;
    }
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): KeystoreError {
  const text = `${path} is damaged: delete it to get a new local key`;
  return new KeystoreError('KEYSTORE_DAMAGED', text, { path }, { cause });
}
