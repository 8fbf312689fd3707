/** A torrent as people want to see it. */
import { describePeer } from './describe-peer.ts';
import type { Peer } from './peer.ts';
import type { PieceWork } from './piece-work.ts';
import type { RateMeter } from './rate-meter.ts';
import type { TorrentPhase, TorrentSnapshot } from './snapshot.ts';
import type { TorrentLimits } from './torrent-limits.ts';

/** What of a torrent is looked at. */
interface Described {
  readonly key: string;
  readonly phase: TorrentPhase;
  readonly work: PieceWork | null;
  readonly limits: TorrentLimits;
  readonly received: RateMeter;
  readonly sent: RateMeter;
  readonly haveBytes: number;
  readonly remainingBytes: number | null;
  readonly peers: ReadonlyMap<number, Peer>;
  readonly book: { readonly size: number };
}

/** Everything the screen shows. */
export function describeTorrent(torrent: Described): TorrentSnapshot {
  const { work, limits, received, sent } = torrent;
  return {
    key: torrent.key,
    name: work?.content.name ?? null,
    phase: torrent.phase,
    pieceCount: work?.geometry.pieceCount ?? 0,
    failedPieces: work?.flow.failedPieces ?? 0,
    goodPieces: work?.have.count ?? 0,
    totalBytes: work?.geometry.totalBytes ?? 0,
    haveBytes: torrent.haveBytes,
    wantedBytes: work?.selection.wantedBytes ?? 0,
    remainingBytes: torrent.remainingBytes ?? 0,
    receivedBytes: received.total,
    sentBytes: sent.total,
    receiveRate: received.rate,
    sendRate: sent.rate,
    uploadLimit: limits.upload.rate,
    downloadLimit: limits.download.rate,
    peers: [...torrent.peers.values()].map(describePeer),
    knownPeers: torrent.book.size,
  };
}
