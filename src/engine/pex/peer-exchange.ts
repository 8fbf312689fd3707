/** Peer exchange as an extension of the engine (BEP 11): one for all torrents. */

import { PEX_EXTENSION } from '../../wire/index.ts';
import type { PeerExtension, PeerExtensionSession, PeerLink } from '../extension.ts';
import type { PeerAddress } from '../peer-book.ts';
import { PexSession } from './pex-session.ts';

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

/** Offers `ut_pex` to every peer of a torrent that is not private. */
export class PeerExchange implements PeerExtension {
  readonly name: string = PEX_EXTENSION;
  readonly #deps: PexDeps;

  constructor(deps: PexDeps) {
    this.#deps = deps;
  }

  attach(link: PeerLink): PeerExtensionSession {
    return new PexSession(link, this.#deps);
  }
}
