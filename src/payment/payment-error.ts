/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `PaymentError`, each explained in `docs/errors.md`. */
export type PaymentErrorCode = 'PAYMENT_KEY';

/** A private key cannot be used. Nothing was signed. */
export class PaymentError extends AppError<PaymentErrorCode> {
  override readonly name = 'PaymentError';
}
