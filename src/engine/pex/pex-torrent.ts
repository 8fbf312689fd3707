/** What peer exchange sees of torrents and their peers. */
import type { PexPeer } from '../../wire/index.ts';
import type { Classify, Neighbour } from '../meeting-place.ts';
import type { PeerAddress } from '../peer-book.ts';

/** A connected peer, as others may hear of it. */
export interface PexNeighbour extends Neighbour {
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
  /** Peers of the internet neither hear of local ones nor are believed about them. */
  readonly classify: Classify;
  /** Whether a peer can bring others together (BEP 55); absent: none can. */
  readonly isHolepuncher?: (peerKey: number) => boolean;
  /** A peer told of another, and is believed. */
  readonly onTold?: (peerKey: number, told: PexPeer) => void;
}
