/** What peer exchange sees of torrents and their peers. */
import type { PeerAddress } from '../peer-book.ts';

/** A connected peer, as others may hear of it. */
export interface PexNeighbour {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Where it listens, as it says itself; null while it has not. */
  readonly remoteListenPort: number | null;
  readonly isOutbound: boolean;
  /** It wants nothing: it has everything, or says so (BEP 21). */
  readonly isSeed: boolean;
}

/** What peer exchange needs of a torrent. */
export interface PexTorrent {
  /** Its peers are nobody's business but the trackers' (BEP 27). */
  readonly isPrivate: boolean;
  /** Nothing is wanted any more: seeds are of no use. */
  readonly isSated: boolean;
  /** By the key of their links. */
  readonly peers: ReadonlyMap<number, PexNeighbour>;
  addPeers(addresses: Iterable<PeerAddress>, source: 'pex'): void;
}

/** What peer exchange is told from outside. */
export interface PexDeps {
  /** The torrent of a link; null when it is gone. */
  readonly torrentOf: (torrentKey: string) => PexTorrent | null;
  /**
   * Whether an address is on the open internet, on this machine or network, or nowhere. Peers of
   * the internet neither hear of local ones nor are believed about them.
   */
  readonly classify: (host: string) => 'public' | 'local' | 'unusable';
}
