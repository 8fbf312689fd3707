/** What can go wrong with money that is not the chain's or the disk's fault. */
import { AppError } from '../../units/index.ts';

/** Codes of `MoneyError`, each explained in `docs/errors.md`. */
export type MoneyErrorCode = 'MONEY_OTHER_CHAIN' | 'MONEY_BALANCE';

/** A wallet command cannot be carried out. No money has moved. */
export class MoneyError extends AppError<MoneyErrorCode> {
  override readonly name = 'MoneyError';
}
