/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `ChainError`, each explained in `docs/errors.md`. */
export type ChainErrorCode =
  | 'CHAIN_UNREACHABLE'
  | 'CHAIN_WRONG_ID'
  | 'CHAIN_RPC'
  | 'CHAIN_FUNDS'
  | 'CHAIN_REVERTED'
  | 'CHAIN_NONCE_TAKEN'
  | 'CHAIN_NO_CONTRACT'
  | 'CHAIN_LOCAL'
  | 'CHAIN_CLOSED';

/** The chain could not be asked, or refused. A transaction that was journaled is still pursued. */
export class ChainError extends AppError<ChainErrorCode> {
  override readonly name = 'ChainError';
}

/** Whether `error` is a `ChainError` with this code. */
export function isChainError(error: unknown, code: ChainErrorCode): error is ChainError {
  return error instanceof ChainError && error.code === code;
}
