/** One connection's peer exchange: whom we have told of, and what we believe. */
import { type Instant, instant } from '../../units/index.ts';
import {
  decodePex,
  type Endpoint,
  encodePex,
  PEX_ADDED_MAX,
  PEX_FLAG,
  type PexPeer,
  WireError,
} from '../../wire/index.ts';
import type { PeerExtensionSession, PeerLink } from '../extension.ts';
import { isLoopback, mayTell } from '../meeting-place.ts';
import type { PexDeps, PexNeighbour, PexTorrent } from './pex-torrent.ts';

/** BEP 11: no more than one message a minute. */
const SEND_EVERY_MS = 60_000;
/** While there was nothing to send, we look again so soon. */
const LOOK_EVERY_MS = 5_000;
/** Peers that one peer is told of at a time; they are enough to find all the others by. */
const TOLD_MAX = 200;
/** Messages are believed every so often: a little less than a minute, for clocks that differ. */
const BELIEVE_EVERY_MS = 45_000;
/** So many may come sooner, as some clients send several at the start. */
const EARLY_MAX = 3;
/** Messages too many before we hang up. */
const FLOOD_MAX = 50;
/** Addresses taken from one peer: a swarm must not be seen through one pair of eyes. */
const TAKEN_MAX = 500;

/** Peer exchange with one peer. */
export class PexSession implements PeerExtensionSession {
  readonly isSettling = false;
  readonly #link: PeerLink;
  readonly #deps: PexDeps;
  /** What it heard of from us and has not heard the end of, by the key of that peer's link. */
  readonly #told = new Map<number, Endpoint>();
  #isSupported = false;
  #sendAt: Instant = instant(0);
  #believedAt = -Infinity;
  #early = 0;
  #excess = 0;
  #taken = 0;

  constructor(link: PeerLink, deps: PexDeps) {
    this.#link = link;
    this.#deps = deps;
  }

  get isOffered(): boolean {
    return !(this.#torrent?.isPrivate ?? false);
  }

  onSupported(): void {
    this.#isSupported = true;
  }

  onMessage(payload: Uint8Array, now: Instant): void {
    const torrent = this.#torrent;
    if (!torrent || torrent.isPrivate || !this.#isInTime(now)) return;
    const hosts = new Set<string>();
    for (const peer of decodePex(payload).added) {
      // Many ports of one host are a way to have somebody knocked at (BEP 11).
      if (!this.#isBelievable(peer, torrent) || hosts.has(hostKey(peer))) continue;
      if (++this.#taken > TAKEN_MAX) return;
      hosts.add(hostKey(peer));
      const { host, port, flags } = peer;
      const wantsEncryption = (flags & PEX_FLAG.prefersEncryption) !== 0;
      const isReachable = (flags & PEX_FLAG.reachable) !== 0;
      torrent.addPeers([{ host, port, wantsEncryption, isReachable }], 'pex');
      this.#deps.onTold?.(this.#link.peerKey, peer);
    }
  }

  onTick(now: Instant): void {
    if (!this.#isSupported || now < this.#sendAt) return;
    const torrent = this.#torrent;
    if (!torrent || torrent.isPrivate) return;
    const dropped = this.#takeDropped(torrent);
    const added = this.#takeAdded(torrent, dropped);
    const isNews = added.length + dropped.length > 0;
    this.#sendAt = instant(now + (isNews ? SEND_EVERY_MS : LOOK_EVERY_MS));
    if (isNews) this.#link.send(encodePex({ added, dropped }));
  }

  creditBytes(): number {
    return Infinity;
  }
  onBlockSent(): void {}
  onBlockReceived(): void {}
  onVerified(): void {}
  onPieceFailed(): void {}
  onClosed(): void {}

  get #torrent(): PexTorrent | null {
    return this.#deps.torrentOf(this.#link.torrentKey);
  }

  /** Those it heard of that are gone: at most 50 at a time, the others later. */
  #takeDropped(torrent: PexTorrent): Endpoint[] {
    const dropped: Endpoint[] = [];
    for (const [key, endpoint] of this.#told) {
      if (torrent.peers.has(key)) continue;
      if (dropped.length === PEX_ADDED_MAX) break;
      this.#told.delete(key);
      dropped.push(endpoint);
    }
    return dropped;
  }

  /** Those it has not heard of, but for such as are dropped in the same message. */
  #takeAdded(torrent: PexTorrent, dropped: readonly Endpoint[]): PexPeer[] {
    const added: PexPeer[] = [];
    const known = new Set([...this.#told.values(), ...dropped].map(keyOf));
    for (const [key, peer] of torrent.peers) {
      if (added.length === PEX_ADDED_MAX || this.#told.size >= TOLD_MAX) break;
      const endpoint = this.#tellable(key, peer);
      if (!endpoint || known.has(keyOf(endpoint))) continue;
      known.add(keyOf(endpoint));
      this.#told.set(key, endpoint);
      added.push({ ...endpoint, flags: this.#flagsOf(key, peer) });
    }
    return added;
  }

  /** Where this peer can be reached, if the remote may hear of it; null if not. */
  #tellable(key: number, peer: PexNeighbour): Endpoint | null {
    const { remoteHost: host, remotePort, isOutbound } = peer.connection;
    const port = isOutbound ? remotePort : peer.remoteListenPort;
    if (key === this.#link.peerKey || port === null) return null;
    return this.#isSpeakable(host) ? { host, port } : null;
  }

  /** Local addresses mean nothing to strangers, and are none of their business. */
  #isSpeakable(host: string): boolean {
    return mayTell({ host, witness: this.#link.remoteHost }, this.#deps.classify);
  }

  #flagsOf(key: number, { connection, isSeed }: PexNeighbour): number {
    const isHolepuncher = this.#deps.isHolepuncher?.(key) ?? false;
    return (
      (connection.isEncrypted ? PEX_FLAG.prefersEncryption : 0) |
      (isSeed ? PEX_FLAG.seed : 0) |
      (connection.isUtp ? PEX_FLAG.utp : 0) |
      (isHolepuncher ? PEX_FLAG.holepunch : 0) |
      (connection.isOutbound ? PEX_FLAG.reachable : 0)
    );
  }

  #isBelievable(peer: PexPeer, torrent: PexTorrent): boolean {
    const isUseless = torrent.isSated && (peer.flags & PEX_FLAG.seed) !== 0;
    return !isUseless && this.#isSpeakable(peer.host);
  }

  /** Messages that come too often are not read; a flood ends the connection. */
  #isInTime(now: Instant): boolean {
    if (now - this.#believedAt >= BELIEVE_EVERY_MS) {
      this.#believedAt = now;
      return true;
    }
    if (this.#early < EARLY_MAX) {
      this.#early++;
      return true;
    }
    if (++this.#excess > FLOOD_MAX) {
      throw new WireError('WIRE_EXTENSION', 'it floods us with peers');
    }
    return false;
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

/** Peers of this machine share an address: they are told apart by their ports. */
function hostKey(endpoint: Endpoint): string {
  return isLoopback(endpoint.host) ? keyOf(endpoint) : endpoint.host;
}
