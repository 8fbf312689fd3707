/** Finding the peers of a torrent in one family, and announcing ourselves (BEP 5, 33). */
import {
  BLOOM_FILTER_BYTES,
  type Endpoint,
  estimateBloomFilter,
  uniteBloomFilters,
} from '../../wire/index.ts';
import { isLocalHost, isPeerUsable, keyOf } from './address-rules.ts';
import type { DhtNode } from './dht-node.ts';
import type { Lookup } from './lookup.ts';

/** How we announce ourselves. */
export interface AnnounceTerms {
  /** The TCP port at which we accept peers. */
  readonly port: number;
  /** Rather the UDP port the packet comes from: behind a NAT that maps both the same. */
  readonly isPortImplied: boolean;
  readonly isSeed: boolean;
}

/** What to look for. */
export interface PeerSearch {
  /** 20 bytes; a v2 hash is cut to its first 20 (BEP 52). */
  readonly infoHash: Uint8Array;
  /** null only looks. */
  readonly announce: AnnounceTerms | null;
  /** Also counts the swarm (BEP 33). */
  readonly isScrape: boolean;
  /** New ones, as they are found. */
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  readonly onDone: (result: PeerSearchResult) => void;
}

/** What came of it. */
export interface PeerSearchResult {
  readonly peerCount: number;
  /** Nodes that took our announce. */
  readonly storedCount: number;
  /** Nodes asked. */
  readonly askedCount: number;
  /** Replies from the first node to the farthest that answered. */
  readonly hops: number;
  /** Estimated from the filters of all nodes; null when none of them had any. */
  readonly swarm: { readonly seeders: number; readonly leechers: number } | null;
}

/** Peers taken from one search, the rest ignored: more than any client connects to. */
const PEERS_MAX = 2000;

/** Peers taken from our own store. */
const OWN_PEERS_MAX = 200;

/** Starts a search. */
export function searchPeers(node: DhtNode, search: PeerSearch): void {
  const { infoHash, isScrape } = search;
  const seen = new Set<string>();
  const count = new SwarmCount();
  const tell = (peers: readonly Endpoint[], isTellerLocal: boolean): void => {
    const fresh = peers.filter((peer) => {
      const isNew = seen.size < PEERS_MAX && !seen.has(keyOf(peer));
      if (!isNew || !isPeerUsable(peer, isTellerLocal)) return false;
      seen.add(keyOf(peer));
      return true;
    });
    if (fresh.length > 0) search.onPeers(fresh);
  };
  // We may be one of those who keep this torrent's peers.
  tell(node.peers.pick({ infoHash, countMax: OWN_PEERS_MAX, noSeeds: false }), true);
  node.searches.start({
    target: infoHash,
    query: { method: 'get_peers', infoHash, want: null, isScrape, noSeeds: false },
    onReply: (reply, from) => {
      count.add(reply.seedFilter, reply.peerFilter);
      tell(reply.peers, isLocalHost(from.host));
    },
    onDone: (lookup) => {
      const { askedCount, hops } = lookup;
      const found = { peerCount: seen.size, askedCount, hops, swarm: count.estimate() };
      announce(node, { search, lookup }, (storedCount) => {
        search.onDone({ ...found, storedCount });
      });
    },
  });
}

/** Announces to the closest nodes; tells how many took it. */
function announce(
  node: DhtNode,
  { search, lookup }: { readonly search: PeerSearch; readonly lookup: Lookup },
  done: (storedCount: number) => void,
): void {
  const terms = search.announce;
  const takers = terms ? lookup.closest(node.now).filter(({ token }) => token !== null) : [];
  let storedCount = 0;
  let openCount = takers.length;
  if (!terms || openCount === 0) {
    done(0);
    return;
  }
  for (const { contact, token } of takers) {
    if (!token) continue;
    const { infoHash } = search;
    node.ask({
      to: contact,
      expectedId: contact.id,
      query: { method: 'announce_peer', infoHash, token, ...terms },
      onOutcome: (outcome) => {
        if (outcome.kind === 'reply') storedCount++;
        if (--openCount === 0) done(storedCount);
      },
    });
  }
}

/** The union of what many nodes know of a swarm. */
class SwarmCount {
  readonly #seeds = new Uint8Array(BLOOM_FILTER_BYTES);
  readonly #peers = new Uint8Array(BLOOM_FILTER_BYTES);
  #isEmpty = true;

  add(seedFilter: Uint8Array | null, peerFilter: Uint8Array | null): void {
    if (!seedFilter || !peerFilter) return;
    this.#isEmpty = false;
    uniteBloomFilters(this.#seeds, seedFilter);
    uniteBloomFilters(this.#peers, peerFilter);
  }

  estimate(): PeerSearchResult['swarm'] {
    if (this.#isEmpty) return null;
    const seeders = Math.round(estimateBloomFilter(this.#seeds));
    return { seeders, leechers: Math.round(estimateBloomFilter(this.#peers)) };
  }
}
