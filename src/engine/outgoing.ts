/** Connections we open: whom to, how many at a time, and what follows when one fails. */
import type { Instant } from '../units/index.ts';
import type { OwnAddress } from './canonical-priority.ts';
import type { DialWay } from './encryption-policy.ts';
import { type GateKeeper, HandshakeGate } from './handshake-gate.ts';
import { isAt } from './meeting-place.ts';
import type { PeerAddress } from './peer-book.ts';
import { isCrowded } from './peer-turnover.ts';
import type { Connection, Dialer } from './ports.ts';
import type { StreamSecurity } from './stream-security.ts';
import type { Torrent } from './torrent.ts';

/** Outgoing connections that have not shaken hands yet; passed over in a tick: as many. */
const HALF_OPEN_MAX = 40;

/** What it needs of the engine. */
export interface OutgoingDeps {
  readonly keeper: GateKeeper;
  readonly security: StreamSecurity;
  readonly dialer: Dialer;
  /** Dials by uTP alone; null when there is none. */
  readonly utpDialer: Dialer | null;
  readonly own: OwnAddress;
  /** Which hosts count as one; null for those that are not counted. */
  readonly placeOf: (host: string) => string | null;
  /** Whether there is room for one more connection; with a host, to there. */
  hasRoom(host?: string): boolean;
  /** A connection is under way: it counts, and is ended when it takes too long. */
  begin(connection: Connection): void;
  /** Nobody took a connection to an address of the book. */
  onUnreachable(torrent: Torrent, address: PeerAddress): void;
}

/** An outgoing connection that has not shaken hands. */
interface Dial {
  readonly torrent: Torrent;
  readonly gate: HandshakeGate;
  readonly way: DialWay;
  readonly place: string | null;
  /** It is one half of a rendezvous (BEP 55); the book knows nothing of it. */
  readonly isPunch: boolean;
}

/** Dials, and remembers what it has dialled until hands are shaken. */
export class Outgoing {
  readonly #deps: OutgoingDeps;
  readonly #dials = new Map<Connection, Dial>();

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  /** Dials what is due, as far as there is room. */
  dialMore(torrents: Iterable<Torrent>, now: Instant): void {
    let passed = 0;
    for (const torrent of torrents) {
      if (torrent.isStopped || torrent.roster.isFull) continue;
      while (this.#hasRoom && passed < HALF_OPEN_MAX) {
        const address = torrent.book.next(now, this.#deps.own);
        if (!address) break;
        if (this.#hasRoomAt(torrent, address)) {
          this.#dial(torrent, address, false);
        } else {
          torrent.book.onCrowded(address, now);
          passed++;
        }
      }
    }
  }

  /**
   * Dials a peer by uTP at once, as it does us: so each opens the way through its own router for
   * the other (BEP 55). Nothing happens when we have it already, or there is no room.
   */
  punch(torrent: Torrent, address: PeerAddress): void {
    const isWanted = !torrent.isStopped && !torrent.roster.isFull;
    if (!isWanted || !this.#hasRoom || !this.#hasRoomAt(torrent, address)) return;
    if (torrent.book.isBanned(address) || this.#isMet(torrent, address)) return;
    if (!this.#deps.utpDialer) return;
    this.#dial(torrent, address, true);
  }

  /** The other end has shaken hands. */
  onAdmitted(connection: Connection, now: Instant): void {
    const dial = this.#take(connection);
    if (!dial) return;
    const address = addressOf(connection);
    this.#deps.security.onWorked(address, dial.way);
    // The book may know the address, and would dial it again.
    if (dial.isPunch) dial.torrent.book.onDuplicate(address, now);
  }

  /** A connection ended before that; it may have been an incoming one. */
  onFailed(connection: Connection, now: Instant): void {
    const dial = this.#take(connection);
    if (!dial) return;
    const { torrent, gate, isPunch } = dial;
    const address = addressOf(connection);
    const hasOtherWay = gate.isCutOff && this.#deps.security.onCutOff(address, dial.way);
    if (isPunch) {
      if (hasOtherWay) this.punch(torrent, address);
      return;
    }
    if (hasOtherWay) torrent.book.onOtherWay(address);
    else torrent.book.onClosed(address, now, false);
    if (!gate.wasOpened) this.#deps.onUnreachable(torrent, address);
  }

  get #hasRoom(): boolean {
    return this.#dials.size < HALF_OPEN_MAX && this.#deps.hasRoom();
  }

  /** Whether its place has not its share already, of all connections or of the torrent's. */
  #hasRoomAt(torrent: Torrent, { host }: PeerAddress): boolean {
    const { hasRoom, placeOf } = this.#deps;
    return hasRoom(host) && !isCrowded(placeOf(host), this.#metBy(torrent));
  }

  /** Where its peers are, and those that we are about to meet. */
  *#metBy(torrent: Torrent): Iterable<Pick<Dial, 'place'>> {
    yield* torrent.peers.values();
    for (const dial of this.#dials.values()) if (dial.torrent === torrent) yield dial;
  }

  #dial(torrent: Torrent, address: PeerAddress, isPunch: boolean): void {
    const { keeper, security, dialer, utpDialer, placeOf } = this.#deps;
    const gate = new HandshakeGate(keeper, torrent.infoHash);
    const way = security.wayTo(address);
    const target = { ...address, infoHash: torrent.infoHash, way };
    const connection = security.dial((isPunch && utpDialer) || dialer, target, gate);
    gate.bind(connection);
    const place = placeOf(address.host);
    this.#dials.set(connection, { torrent, gate, way, place, isPunch });
    this.#deps.begin(connection);
  }

  #take(connection: Connection): Dial | null {
    const dial = this.#dials.get(connection) ?? null;
    this.#dials.delete(connection);
    return dial;
  }

  /** Whether we are connected to it, or punching already. */
  #isMet(torrent: Torrent, { host, port }: PeerAddress): boolean {
    for (const [{ remoteHost, remotePort }, dial] of this.#dials) {
      const isSame = remoteHost === host && remotePort === port;
      if (isSame && dial.isPunch && dial.torrent === torrent) return true;
    }
    for (const peer of torrent.peers.values()) if (isAt(peer, { host, port })) return true;
    return false;
  }
}

function addressOf({ remoteHost, remotePort }: Connection): PeerAddress {
  return { host: remoteHost, port: remotePort };
}
