/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `CliError` and of failures without a class, each explained in `docs/errors.md`. */
export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_STOPPED'
  | 'CLI_TIMEOUT'
  | 'CLI_PASSWORD'
  | 'CLI_SYSTEM'
  | 'CLI_INTERNAL';

/** The command ended without its job done. */
export class CliError extends AppError<CliErrorCode> {
  override readonly name = 'CliError';
}
