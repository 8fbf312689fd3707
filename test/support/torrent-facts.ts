/** What we read from a torrent, in the words of the records of what libtorrent read. */
import { toHex } from '../../src/units/index.ts';
import type { Metainfo } from '../../src/wire/index.ts';

/** What both records have. */
export interface TorrentFacts {
  readonly v1: string | null;
  readonly v2: string | null;
  readonly name: string;
  readonly pieceLength: number;
  readonly pieces: number;
  readonly totalSize: number;
  readonly private: boolean;
}

/** Of one torrent. */
export function torrentFacts(torrent: Metainfo): TorrentFacts {
  return {
    v1: torrent.infoHashV1 && toHex(torrent.infoHashV1),
    v2: torrent.infoHashV2 && toHex(torrent.infoHashV2),
    name: torrent.name,
    pieceLength: torrent.pieceLengthBytes,
    pieces: torrent.pieceCount,
    totalSize: torrent.totalBytes,
    private: torrent.isPrivate,
  };
}
