/** One connection's part in rendezvous: what its peer asks us for, and what we ask it for. */
import type { Instant } from '../../units/index.ts';
import {
  decodeHolepunch,
  type Endpoint,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  WireError,
} from '../../wire/index.ts';
import type { PeerExtensionSession, PeerLink } from '../extension.ts';
import { isAt, mayTell, utpEndpoint } from '../meeting-place.ts';
import type { HolepunchDeps, HolepunchTorrent } from './holepunch-torrent.ts';
import { Quota } from './quota.ts';

/** Peers that one peer may ask to be brought together with, a minute. */
const RENDEZVOUS_PER_MINUTE = 20;
/** Times that one peer is told by us to dial others, a minute, whoever asked for it. */
const TOLD_PER_MINUTE = 20;
/** Addresses we dial on the word of one peer, a minute. */
const CONNECTS_PER_MINUTE = 20;
/** Messages beyond that before we hang up. */
const FLOOD_MAX = 100;
/** Peers that one peer can bring us together with; as many as are believed of peer exchange. */
const INTRODUCTIONS_MAX = 500;

/** What a session needs beside what all of them need. */
export interface HolepunchSessionDeps extends HolepunchDeps {
  /** The session of another peer. */
  readonly sessionOf: (peerKey: number) => HolepunchSession | null;
  /** This peer cannot help: somebody else may. */
  readonly askAnother: (target: Endpoint) => void;
  readonly onClosed: () => void;
}

/** Rendezvous with one peer. */
export class HolepunchSession implements PeerExtensionSession {
  readonly isSettling = false;
  readonly torrentKey: string;
  isSupported = false;
  readonly #link: PeerLink;
  readonly #deps: HolepunchSessionDeps;
  /** Whom it told us of and has not been asked for. */
  readonly #introductions = new Set<string>();
  /** Whom it was asked for and has not answered about. */
  readonly #asked = new Set<string>();
  readonly #rendezvous = new Quota(RENDEZVOUS_PER_MINUTE);
  readonly #told = new Quota(TOLD_PER_MINUTE);
  readonly #connects = new Quota(CONNECTS_PER_MINUTE);
  #excess = 0;

  constructor(link: PeerLink, deps: HolepunchSessionDeps) {
    this.#link = link;
    this.#deps = deps;
    this.torrentKey = link.torrentKey;
  }

  get isOffered(): boolean {
    return this.#deps.isAble() && !(this.#torrent?.isPrivate ?? false);
  }

  onSupported(): void {
    this.isSupported = true;
  }

  /** It told us of a peer that it is connected to. */
  onTold(target: Endpoint): void {
    if (this.#introductions.size < INTRODUCTIONS_MAX) this.#introductions.add(keyOf(target));
  }

  /** Asks it to bring us together with a peer that it told us of; false when it did not. Once. */
  ask(target: Endpoint): boolean {
    const isAble = this.isSupported && this.isOffered;
    if (!isAble || !this.#introductions.delete(keyOf(target))) return false;
    this.#asked.add(keyOf(target));
    this.#link.send(encodeHolepunch({ kind: 'rendezvous', target, error: 0 }));
    return true;
  }

  onMessage(payload: Uint8Array, now: Instant): void {
    const message = decodeHolepunch(payload);
    const torrent = this.#torrent;
    if (!message || !torrent || !this.isOffered) return;
    const { kind, target } = message;
    if (kind === 'rendezvous' && this.#isInTime(this.#rendezvous, now)) {
      const error = this.#bringTogether(torrent, target, now);
      if (error !== null) this.#link.send(encodeHolepunch({ kind: 'error', target, error }));
    } else if (kind === 'connect' && this.#isInTime(this.#connects, now)) {
      this.#asked.delete(keyOf(target));
      if (target.port > 0 && this.#mayDial(target)) this.#deps.punch(this.torrentKey, target);
    } else if (kind === 'error' && this.#asked.delete(keyOf(target))) {
      this.#deps.askAnother(target);
    }
  }

  /** Tells this peer to dial another; false when it has been told too often. */
  tell(target: Endpoint, now: Instant): boolean {
    if (!this.#told.take(now)) return false;
    this.#link.send(encodeHolepunch({ kind: 'connect', target, error: 0 }));
    return true;
  }

  creditBytes(): number {
    return Infinity;
  }
  onBlockSent(): void {}
  onBlockReceived(): void {}
  onVerified(): void {}
  onPieceFailed(): void {}
  onTick(): void {}
  onClosed(): void {
    this.#deps.onClosed();
  }

  get #torrent(): HolepunchTorrent | null {
    return this.#deps.torrentOf(this.torrentKey);
  }

  /** We are in the middle: tells each of the two of the other; why not, or null when it is done. */
  #bringTogether(torrent: HolepunchTorrent, target: Endpoint, now: Instant): number | null {
    if (this.#deps.isOwn(target)) return HOLEPUNCH_ERROR.noSelf;
    if (target.port === 0 || !this.#mayDial(target)) return HOLEPUNCH_ERROR.noSuchPeer;
    const asker = torrent.peers.get(this.#link.peerKey);
    const [key, peer] = [...torrent.peers].find(([, other]) => isAt(other, target)) ?? [];
    if (key === undefined || !peer || !asker) return HOLEPUNCH_ERROR.notConnected;
    // As libtorrent answers who asks for himself.
    if (peer === asker) return HOLEPUNCH_ERROR.noSelf;
    const session = this.#deps.sessionOf(key);
    if (!session?.isSupported) return HOLEPUNCH_ERROR.noSupport;
    // An address of our network means nothing to a stranger.
    const pair = { host: this.#link.remoteHost, witness: peer.connection.remoteHost };
    if (!mayTell(pair, this.#deps.classify)) return HOLEPUNCH_ERROR.noSuchPeer;
    if (!session.tell(utpEndpoint(asker), now)) return HOLEPUNCH_ERROR.notConnected;
    this.#link.send(encodeHolepunch({ kind: 'connect', target: utpEndpoint(peer), error: 0 }));
    return null;
  }

  /** Nobody gets us to dial where he could not himself. */
  #mayDial({ host }: Endpoint): boolean {
    return mayTell({ host, witness: this.#link.remoteHost }, this.#deps.classify);
  }

  /** What comes too often is not done; a flood ends the connection. */
  #isInTime(quota: Quota, now: Instant): boolean {
    if (quota.take(now)) return true;
    if (++this.#excess > FLOOD_MAX) {
      throw new WireError('WIRE_EXTENSION', 'it floods us with rendezvous');
    }
    return false;
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}
