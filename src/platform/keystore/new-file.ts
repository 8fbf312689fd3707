/** Writes a secret to a file that must not exist yet, whole or not at all. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeystoreError } from './keystore-error.ts';

/** Writes `text` readable by its owner only. Never overwrites: throws `KEYSTORE_EXISTS` instead. */
export function writeNewSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // A hard link, unlike a rename, fails when the name is taken: two at once cannot both win.
    linkSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new KeystoreError(
      'KEYSTORE_EXISTS',
      `${path} exists already: move it away first, or use another folder`,
      { path },
      { cause },
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder; its file system journals the name by itself.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
