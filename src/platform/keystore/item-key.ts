/** The key that signs what a node puts into the DHT: whoever has it publishes in our name. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { concatBytes, fromHex, toHex } from '../../units/index.ts';
import { KeystoreError } from './keystore-error.ts';
import { writeNewSecret } from './new-file.ts';
import { checkNewPassword } from './password.ts';

/** Where the key is, and what protects it. */
export interface ItemKeyAccess {
  readonly path: string;
  /** Asked when the file is encrypted. */
  readonly password: () => Promise<string>;
  /** Encrypts a file that is made now; null leaves it readable to its owner. */
  readonly newPassword: string | null;
  /** Work factor N of scrypt, a power of two. Default 262,144: about a second and 256 MB. */
  readonly scryptCost?: number;
}

const SCRYPT_COST_DEFAULT = 262_144;

/** The highest believed: 2^20 takes a gigabyte. */
const SCRYPT_COST_MAX = 1_048_576;

const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 32;

/** As it stands in the file: of the two forms of the secret one. All in hex. */
interface StoredKey {
  readonly unencryptedKey?: string;
  readonly salt?: string;
  readonly scryptCost?: number;
  /** Nonce, ciphertext, tag. */
  readonly encryptedKey?: string;
}

/**
 * The ed25519 secret of 32 bytes, made at first use in a file that only its owner can read.
 *
 * @throws KeystoreError KEYSTORE_DAMAGED, KEYSTORE_PASSWORD
 */
export async function openItemKey(access: ItemKeyAccess): Promise<Uint8Array> {
  if (!existsSync(access.path)) return makeKey(access);
  const { path } = access;
  const stored = readStored(path);
  const { unencryptedKey, encryptedKey, salt, scryptCost = 0 } = stored;
  if (unencryptedKey !== undefined) return keyOf(unencryptedKey, path);
  if (encryptedKey === undefined || salt === undefined) throw damaged(path);
  if (!isScryptCost(scryptCost)) throw damaged(path);
  const sealed = hexOf(encryptedKey, path);
  if (sealed.length !== NONCE_BYTES + KEY_BYTES + TAG_BYTES) throw damaged(path);
  const secret = stretch(await access.password(), hexOf(salt, path), scryptCost);
  const decipher = createDecipheriv(CIPHER, secret, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const key = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    const text = `wrong password for the publishing key in ${path}`;
    throw new KeystoreError('KEYSTORE_PASSWORD', text, { path }, { cause });
  }
  return new Uint8Array(key);
}

function makeKey({
  path,
  newPassword,
  scryptCost = SCRYPT_COST_DEFAULT,
}: ItemKeyAccess): Uint8Array {
  if (newPassword !== null) checkNewPassword(newPassword);
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  const stored = newPassword === null ? { unencryptedKey: toHex(key) } : seal();
  writeNewSecret(path, `${JSON.stringify({ type: 'bidwidth dht key', ...stored }, null, 2)}\n`);
  return key;

  function seal(): StoredKey {
    const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
    const cipher = createCipheriv(CIPHER, stretch(newPassword ?? '', salt, scryptCost), nonce);
    const sealed = concatBytes(nonce, cipher.update(key), cipher.final(), cipher.getAuthTag());
    return { salt: toHex(salt), scryptCost, encryptedKey: toHex(sealed) };
  }
}

function isScryptCost(cost: number): boolean {
  return cost > 1 && cost <= SCRYPT_COST_MAX && Number.isInteger(Math.log2(cost));
}

function stretch(password: string, salt: Uint8Array, cost: number): Uint8Array {
  // Node refuses by itself what takes more than 32 MB; scrypt takes 128 · N · r bytes.
  const maxmem = 128 * cost * 8 * 2;
  return scryptSync(password.normalize(), salt, KEY_BYTES, { N: cost, r: 8, p: 1, maxmem });
}

function readStored(path: string): StoredKey {
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof stored === 'object' && stored !== null) return stored;
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function keyOf(text: string, path: string): Uint8Array {
  const key = hexOf(text, path);
  if (key.length !== KEY_BYTES) throw damaged(path);
  return key;
}

function hexOf(text: string, path: string): Uint8Array {
  try {
    return fromHex(String(text));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause?: unknown): KeystoreError {
  const text = `${path} is not a publishing key of bidwidth, or is damaged: restore a copy of it`;
  return new KeystoreError('KEYSTORE_DAMAGED', text, { path }, { cause });
}
