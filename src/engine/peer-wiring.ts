/** What the two sides of a peer share: its torrent, its outbox, its extensions. */
import { type Handshake, type HandshakeFlags, WireError } from '../wire/index.ts';
import type { PeerExtensionSession } from './extension.ts';
import { Outbox } from './outbox.ts';
import type { PeerOwner } from './peer-owner.ts';
import type { PieceWork } from './piece-work.ts';
import type { Connection } from './ports.ts';

/** Blocks nobody asked for, and requests that cannot be served, before we hang up. */
const OFFENCES_MAX = 200;

/** A connection that has shaken hands. */
export interface MetPeer {
  /** Unique among the engine's connections, never reused. */
  readonly peerKey: number;
  readonly connection: Connection;
  readonly remote: Handshake;
}

/** The common parts of one connection. */
export class PeerWiring {
  readonly peerKey: number;
  readonly owner: PeerOwner;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly remote: Handshake;
  /** What its handshake says that it speaks. */
  readonly flags: HandshakeFlags;
  isClosed = false;
  /** Throws the rest of a block away that is coming in; the peer sets it. */
  dropTarget: () => void = () => {};
  /** Set once, right after the extensions have been attached. */
  sessions: readonly PeerExtensionSession[] = [];
  #offences = 0;

  constructor(owner: PeerOwner, { peerKey, connection, remote }: MetPeer) {
    this.peerKey = peerKey;
    this.owner = owner;
    this.connection = connection;
    this.outbox = new Outbox(connection);
    this.remote = remote;
    this.flags = remote.flags;
  }

  /** The pieces of the torrent; a peer that speaks of them before there are any is cut off. */
  work(): PieceWork {
    const { work } = this.owner;
    if (!work) throw new WireError('WIRE_MESSAGE', 'it spoke of pieces before there were any');
    return work;
  }

  close(reason: string): void {
    if (!this.isClosed) this.connection.close(reason);
  }

  /** Small offences are forgiven, many are not. */
  offend(reason: string): void {
    this.#offences++;
    if (this.#offences > OFFENCES_MAX) throw new WireError('WIRE_MESSAGE', reason);
  }
}
