/** Where the wallet's password comes from when nobody is asked for it. */
import { readFileSync } from 'node:fs';
import { KeystoreError } from './keystore-error.ts';

/** The variable that may hold the password. */
const PASSWORD_VARIABLE = 'BIDWIDTH_PASSWORD';

/** The variable that may name a file whose first line is the password. */
const PASSWORD_FILE_VARIABLE = 'BIDWIDTH_PASSWORD_FILE';

/** Shortest password taken; the file may be copied away and tried at leisure. */
const PASSWORD_LENGTH_MIN = 8;

/** Throws KEYSTORE_PASSWORD when a password is too short to protect anything. */
export function checkNewPassword(password: string): void {
  if (password.length >= PASSWORD_LENGTH_MIN) return;
  throw new KeystoreError(
    'KEYSTORE_PASSWORD',
    `the password is too short: use at least ${PASSWORD_LENGTH_MIN} characters`,
  );
}

/** The password given by the environment or a file; null when the user has to be asked. */
export function findPassword(
  environment: Readonly<Record<string, string | undefined>>,
  passwordFile: string | null = null,
): string | null {
  const path = passwordFile ?? environment[PASSWORD_FILE_VARIABLE];
  if (path !== undefined) return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  return environment[PASSWORD_VARIABLE] ?? null;
}
