/** What rendezvous need from outside: torrents, addresses, a way to dial. */
import type { Endpoint } from '../../wire/index.ts';
import type { Classify, Neighbour } from '../meeting-place.ts';

/** What it needs of a torrent. */
export interface HolepunchTorrent {
  /** Its peers come from trackers alone (BEP 27): nobody is introduced to anybody. */
  readonly isPrivate: boolean;
  /** By the key of their links. */
  readonly peers: ReadonlyMap<number, Neighbour>;
}

/** What it is told from outside. */
export interface HolepunchDeps {
  /** The torrent of a link; null when it is gone. */
  readonly torrentOf: (torrentKey: string) => HolepunchTorrent | null;
  readonly classify: Classify;
  /** Whether peers can be dialled by uTP: without it there is nothing to offer. */
  readonly isAble: () => boolean;
  /** Whether an address is our own, as far as we know. */
  readonly isOwn: (address: Endpoint) => boolean;
  /** Dials by uTP, at once. */
  readonly punch: (torrentKey: string, address: Endpoint) => void;
}
