/**
 * The first 68 bytes of a connection, both directions. What follows goes to the peer that the
 * handshake turned out to belong to.
 */
import { concatBytes, equalBytes } from '../units/index.ts';
import {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_BYTES,
  type Handshake,
  looksLikeHandshake,
} from '../wire/index.ts';
import type { Connection, ConnectionEvents } from './ports.ts';

/** What to do when the handshake is complete. */
export interface GateKeeper {
  /**
   * Our handshake for this info-hash; null when we do not serve it. To a peer that speaks v2, a
   * hybrid torrent's names its v2 info-hash (BEP 52, "Upgrade Path").
   */
  handshakeFor(infoHash: Uint8Array, speaksV2: boolean): Handshake | null;
  /** Whether both name one torrent. */
  isSame(infoHash: Uint8Array, other: Uint8Array): boolean;
  /** Keeps a gate for a torrent that will be ready shortly: then its `resume` is called. */
  hold(infoHash: Uint8Array, gate: HandshakeGate): boolean;
  /** The peer that gets all later events; null when it is not wanted, with the reason closed. */
  admit(connection: Connection, remote: Handshake): ConnectionEvents | null;
  /** The connection ended before it got that far. */
  onFailed(connection: Connection | null, reason: string): void;
}

/** What a peer may send behind its handshake before we have answered. */
const EARLY_BYTES_MAX = 16 * 1024;

/** Waits for a handshake, answers it, and steps aside. */
export class HandshakeGate implements ConnectionEvents {
  readonly #keeper: GateKeeper;
  /** The torrent an outgoing connection is for; null for incoming ones. */
  readonly #wanted: Uint8Array | null;
  readonly #bytes = new Uint8Array(HANDSHAKE_BYTES);
  #connection: Connection | null = null;
  #length = 0;
  #peer: ConnectionEvents | null = null;
  #isClosed = false;
  #isOpen = false;
  /** The handshake of a peer whose torrent is not ready yet, and what came behind it. */
  #held: Handshake | null = null;
  #early: Uint8Array = new Uint8Array(0);

  constructor(keeper: GateKeeper, wanted: Uint8Array | null) {
    this.#keeper = keeper;
    this.#wanted = wanted;
  }

  /** Tells the gate its connection: it exists only after the gate. */
  bind(connection: Connection): void {
    this.#connection = connection;
  }

  /** Whether a peer has taken over. */
  get isPassed(): boolean {
    return this.#peer !== null;
  }

  /** Whether the other end took the connection and has not shaken hands. */
  get isCutOff(): boolean {
    return this.#isOpen && this.#length < HANDSHAKE_BYTES;
  }

  /** Whether the other end took the connection. */
  get wasOpened(): boolean {
    return this.#isOpen;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The torrent it was held for is ready, or will never be. */
  resume(): void {
    const held = this.#held;
    if (!held || this.#isClosed) return;
    this.#held = null;
    this.#enter(held);
    const early = this.#early;
    this.#early = new Uint8Array(0);
    this.#connection?.resumeReading();
    if (early.length > 0) this.#peer?.onBytes(early);
  }

  onOpen(): void {
    this.#isOpen = true;
    if (this.#wanted) this.#send(this.#wanted, false);
  }

  onBytes(view: Uint8Array): void {
    const rest = this.#peer || this.#held ? view : this.#gather(view);
    if (!rest || rest.length === 0) return;
    if (this.#held) this.#keep(rest);
    else this.#peer?.onBytes(rest);
  }

  onDrain(): void {
    this.#peer?.onDrain();
  }

  onClosed(reason: string): void {
    this.#isClosed = true;
    if (this.#peer) this.#peer.onClosed(reason);
    else this.#keeper.onFailed(this.#connection, reason);
  }

  /** Takes what belongs to the handshake; returns what follows it once it is complete. */
  #gather(view: Uint8Array): Uint8Array | null {
    if (this.#isClosed) return null;
    const taken = Math.min(HANDSHAKE_BYTES - this.#length, view.length);
    this.#bytes.set(view.subarray(0, taken), this.#length);
    this.#length += taken;
    const start = this.#bytes.subarray(0, this.#length);
    if (!looksLikeHandshake(start)) this.#refuse('it does not speak BitTorrent');
    else if (this.#length === HANDSHAKE_BYTES) this.#pass(decodeHandshake(start));
    return view.subarray(taken);
  }

  /** Hands the connection to its peer, or closes it. */
  #pass(remote: Handshake): void {
    if (this.#wanted && !this.#isAnswerFor(this.#wanted, remote)) {
      this.#refuse('it answered for another torrent');
    } else if (!this.#wanted && this.#keeper.hold(remote.infoHash, this)) {
      this.#held = remote;
      this.#connection?.pauseReading();
    } else {
      this.#enter(remote);
    }
  }

  #enter(remote: Handshake): void {
    if (!this.#wanted && !this.#send(remote.infoHash, remote.flags.v2 ?? false)) {
      this.#refuse('it asked for a torrent we do not have');
    } else if (this.#connection) {
      this.#peer = this.#keeper.admit(this.#connection, remote);
      if (!this.#peer) this.#refuse('it is not needed');
    }
  }

  #keep(rest: Uint8Array): void {
    if (this.#early.length + rest.length > EARLY_BYTES_MAX) this.#refuse('it does not wait');
    else this.#early = concatBytes(this.#early, rest);
  }

  #isAnswerFor(wanted: Uint8Array, { infoHash }: Handshake): boolean {
    return equalBytes(infoHash, wanted) || this.#keeper.isSame(wanted, infoHash);
  }

  #send(infoHash: Uint8Array, speaksV2: boolean): boolean {
    const handshake = this.#keeper.handshakeFor(infoHash, speaksV2);
    if (!handshake || !this.#connection) return false;
    this.#connection.write([encodeHandshake(handshake)]);
    return true;
  }

  #refuse(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection?.close(reason);
  }
}
