/** Which torrents a key can name (BEP 46). */
import { encodeTorrentPointer, parseMagnet, parseMetainfo } from '../../wire/index.ts';
import { DaemonError } from '../daemon-error.ts';
import type { TorrentSource } from '../torrent-source.ts';
import { digests } from '../torrents/describe.ts';

/**
 * The item's value, bencoded, that names a torrent. Throws DAEMON_TORRENT_UNSUPPORTED for one that
 * nobody could get by it, and `WireError`.
 */
export function pointerTo(source: TorrentSource): Uint8Array {
  const { infoHashV1, isPrivate } =
    source.kind === 'magnet'
      ? { ...parseMagnet(source.text), isPrivate: false }
      : parseMetainfo(source.bytes, digests);
  if (isPrivate) throw unsupported('it is private: its peers are not in the DHT');
  if (!infoHashV1) throw unsupported('an item has room for a v1 info-hash, and it has none');
  return encodeTorrentPointer(infoHashV1);
}

function unsupported(why: string): DaemonError {
  return new DaemonError('DAEMON_TORRENT_UNSUPPORTED', `this torrent cannot be published: ${why}`);
}
