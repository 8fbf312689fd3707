/** A failure that happened in the transfer thread, with its code and its one plain line. */
import { AppError } from '../../units/index.ts';

/** Carries another layer's code across the thread border. */
export class RemoteFailure extends AppError {
  override readonly name = 'RemoteFailure';
}
