/** Failures of web seeds, with the reason a user reads. */
import { AppError } from '../../units/index.ts';

/** Codes of `WebSeedError`. */
export type WebSeedErrorCode = 'WEB_SEED_FAILED' | 'WEB_SEED_FORBIDDEN';

/**
 * A web seed could not be asked, or does not have what the torrent says. It is tried again later;
 * the torrent goes on without it. `message` is the end of a sentence that begins with its URL.
 */
export class WebSeedError extends AppError<WebSeedErrorCode> {
  override readonly name = 'WebSeedError';
}
