/** The layer's error class. */
import { AppError } from './errors.ts';

/** Codes of `UnitsError`. */
export type UnitsErrorCode = 'UNITS_AMOUNT' | 'UNITS_SIZE' | 'UNITS_HEX';

/** A person or a file gave a number we cannot read. Nothing has been done yet. */
export class UnitsError extends AppError<UnitsErrorCode> {
  override readonly name = 'UnitsError';
}
