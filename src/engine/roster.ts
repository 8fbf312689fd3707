/** Who is connected for one torrent, and who was: peers come, leave, and are banned. */
import { equalBytes } from '../units/index.ts';
import { DepartedPeers } from './departed-peers.ts';
import type { Peer } from './peer.ts';
import type { PeerAddress, PeerBook } from './peer-book.ts';
import type { EngineContext, PeerRoll } from './peer-owner.ts';

/** Peers of one torrent at most, unless the engine is told otherwise. */
export const PEERS_PER_TORRENT_MAX = 100;

/** What it needs of the torrent. */
export interface RosterDeps {
  readonly book: PeerBook;
  readonly engine: Pick<EngineContext, 'now'>;
  /** A host is banned for bad data. */
  readonly onBan: (host: string) => void;
}

/** The peers of one torrent. */
export class Roster implements PeerRoll {
  /** Those connected, by their keys. */
  readonly peers: Map<number, Peer> = new Map();
  /** Peers wanted at most. */
  peersMax: number = PEERS_PER_TORRENT_MAX;
  readonly #departed = new DepartedPeers();
  readonly #deps: RosterDeps;

  constructor(deps: RosterDeps) {
    this.#deps = deps;
  }

  get isFull(): boolean {
    return this.peers.size >= this.peersMax;
  }

  /** The connected peer with this id. */
  withId(peerId: Uint8Array): Peer | null {
    for (const peer of this.peers.values()) if (equalBytes(peer.remotePeerId, peerId)) return peer;
    return null;
  }

  /** A connection has shaken hands. */
  adopt(peer: Peer): void {
    this.peers.set(peer.peerKey, peer);
    peer.start();
  }

  onClosed(peerKey: number): void {
    const peer = this.peers.get(peerKey);
    if (!peer) return;
    this.peers.delete(peerKey);
    const address = addressOf(peer);
    this.#departed.add(peerKey, address);
    const { book, engine } = this.#deps;
    if (peer.isOutbound) book.onClosed(address, engine.now, true);
  }

  onSeedMet(peerKey: number): void {
    const peer = this.peers.get(peerKey);
    if (!peer) return;
    this.#deps.book.onSeed(addressOf(peer), this.#deps.engine.now);
    peer.close('both sides have everything');
  }

  /** Closes those we dialled whose address the book does not know, or not any more. */
  partFromUnknown(reason: string): void {
    for (const peer of [...this.peers.values()]) {
      if (peer.isOutbound && !this.#deps.book.knows(addressOf(peer))) peer.close(reason);
    }
  }

  ban(peerKey: number): void {
    const { book, onBan } = this.#deps;
    const peer = this.peers.get(peerKey);
    const address = peer ? addressOf(peer) : this.#departed.addressOf(peerKey);
    if (!address) return;
    peer?.close('it sent bad data');
    if (book.isBanned(address)) return;
    book.ban(address);
    onBan(address.host);
  }
}

function addressOf({ remoteHost, remotePort }: Peer): PeerAddress {
  return { host: remoteHost, port: remotePort };
}
