/** The keystore's error class. */
import { AppError } from '../../units/index.ts';

/** Codes of `KeystoreError`. */
export type KeystoreErrorCode =
  | 'KEYSTORE_MISSING'
  | 'KEYSTORE_EXISTS'
  | 'KEYSTORE_PASSWORD'
  | 'KEYSTORE_PHRASE'
  | 'KEYSTORE_DAMAGED';

/** A wallet file could not be made or unlocked. No file was changed. */
export class KeystoreError extends AppError<KeystoreErrorCode> {
  override readonly name = 'KeystoreError';
}
