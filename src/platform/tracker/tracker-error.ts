/** Failures of trackers, ours and others', with the reason a user reads. */
import { AppError } from '../../units/index.ts';
import { PlatformError } from '../platform-error.ts';

/** Codes of `TrackerError`. */
export type TrackerErrorCode =
  | 'TRACKER_FAILED'
  | 'TRACKER_FORBIDDEN'
  | 'TRACKER_PORT_TAKEN'
  | 'TRACKER_LISTEN';

/**
 * A tracker could not be asked, or ours could not listen. Of the former the torrent goes on
 * with its other trackers; `message` is the end of a sentence that begins with the tracker.
 */
export class TrackerError extends AppError<TrackerErrorCode> {
  override readonly name = 'TrackerError';
}

/** A tracker's request to be left alone for so long, on an error that carries one. */
export function retryAfterOf(error: unknown): number | null {
  if (!(error instanceof TrackerError)) return null;
  const { retryAfterMs } = error.details;
  return typeof retryAfterMs === 'number' ? retryAfterMs : null;
}

/** The reason of a failure in words: `refuses connections`. */
export function explainFailure(error: unknown): string {
  if (error instanceof TrackerError) return error.message;
  if (error instanceof PlatformError) return `cannot be asked: ${error.message}`;
  if (!(error instanceof Error)) return 'failed';
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = codeOf(error) ?? codeOf(cause) ?? firstOf(error);
  const known = code === null ? undefined : REASONS[code];
  if (known !== undefined) return known;
  if (code !== null && /^ERR_SSL|^EPROTO/.test(code)) {
    return `cannot be talked to by TLS (${code})`;
  }
  if (code !== null && /CERT|TLS|SIGNATURE|ISSUER/.test(code)) {
    return `has a certificate that cannot be trusted (${code})`;
  }
  return code === null ? `failed: ${error.message}` : `failed: ${error.message} (${code})`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'closed the connection without an answer',
  UND_ERR_SOCKET: 'closed the connection without an answer',
  ENOTFOUND: 'has a host name that does not exist',
  EAI_AGAIN: 'has a host name that cannot be looked up now',
  ENETUNREACH: 'cannot be reached from this network',
  EHOSTUNREACH: 'cannot be reached from this network',
  EADDRNOTAVAIL: 'cannot be reached from this network',
  ETIMEDOUT: 'did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'did not answer in time',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  CERT_NOT_YET_VALID: 'has a certificate that does not hold yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another host',
  UND_ERR_HEADERS_OVERFLOW: 'answered with too long headers',
  WIRE_BENCODE: 'sent an answer that is not from a tracker',
  WIRE_TRACKER: 'sent an answer that is not from a tracker',
};

function codeOf(error: Error): string | null {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : null;
}

/** Of several attempts (one per address) the first one's code. */
function firstOf(error: Error): string | null {
  const first = error instanceof AggregateError ? error.errors[0] : null;
  return first instanceof Error ? codeOf(first) : null;
}
