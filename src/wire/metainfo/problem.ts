/** Refusing a torrent. */
import { WireError } from '../wire-error.ts';

/** Refuses with one plain line that names what is wrong. */
export function refuseMetainfo(problem: string): never {
  throw new WireError('WIRE_METAINFO', `not a usable torrent: ${problem}`);
}
