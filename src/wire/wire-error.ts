/** The layer's error class. */
import { AppError } from '../units/index.ts';

/** Codes of `WireError`, each explained in `docs/errors.md`. */
export type WireErrorCode =
  | 'WIRE_BENCODE'
  | 'WIRE_METAINFO'
  | 'WIRE_MAGNET'
  | 'WIRE_HANDSHAKE'
  | 'WIRE_MESSAGE'
  | 'WIRE_LENGTH_EXCEEDED'
  | 'WIRE_EXTENSION'
  | 'WIRE_TRACKER'
  | 'WIRE_BW_PAY'
  | 'WIRE_DHT'
  | 'WIRE_NAT'
  | 'WIRE_SOCKS';

/** Somebody sent bytes that are not what they claim to be. What they came in on closes. */
export class WireError extends AppError<WireErrorCode> {
  override readonly name = 'WireError';
}
