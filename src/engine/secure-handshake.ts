/** The beginning of connections that are encrypted, or may be: before the handshake gate. */
import { concatBytes } from '../units/index.ts';
import {
  looksLikeHandshake,
  type MseCrypto,
  MseInitiator,
  type MseProgress,
  MseResponder,
  type MseSession,
  type Rc4,
} from '../wire/index.ts';
import type { CipherBuffers } from './cipher-buffers.ts';
import { type EncryptionRules, OFFERED_METHODS } from './encryption-policy.ts';
import type { Connection, ConnectionEvents } from './ports.ts';
import { SecureConnection } from './secure-connection.ts';

/** What all connections of an engine share. */
export interface SecureParts {
  readonly rules: EncryptionRules;
  readonly crypto: MseCrypto;
  readonly buffers: CipherBuffers;
  /** The torrent of ours that a connection names so (`torrentMark`); null when there is none. */
  findTorrent(mark: Uint8Array): Uint8Array | null;
}

/** As many bytes tell the two beginnings apart for certain. */
const TELLING_BYTES = 20;

/** What both kinds do alike once their handshake is over. */
class Stream {
  readonly connection: SecureConnection;
  readonly upper: ConnectionEvents;
  #cipher: Rc4 | null = null;

  constructor(connection: SecureConnection, upper: ConnectionEvents) {
    this.connection = connection;
    this.upper = upper;
  }

  begin({ outgoing, incoming, early }: MseSession): void {
    this.#cipher = incoming;
    this.connection.open(outgoing);
    if (early.length > 0) this.upper.onBytes(early);
  }

  /** Decrypts where the bytes lie: the reader's buffer is ours until the call returns. */
  onBytes(view: Uint8Array): void {
    this.#cipher?.apply(view);
    this.upper.onBytes(view);
  }
}

/** An outgoing connection, encrypted from its first byte. */
export class SecureDialling implements ConnectionEvents {
  readonly #stream: Stream;
  readonly #parts: SecureParts;
  readonly #infoHash: Uint8Array;
  #lower: Connection | null = null;
  #handshake: MseInitiator | null = null;
  #isOver = false;
  #isClosed = false;

  constructor(parts: SecureParts, infoHash: Uint8Array, upper: ConnectionEvents) {
    this.#stream = new Stream(new SecureConnection(true, parts.buffers), upper);
    this.#parts = parts;
    this.#infoHash = infoHash;
  }

  /** Tells it what is to carry the bytes. Returns the connection that the engine is to know. */
  attach(lower: Connection): Connection {
    this.#lower = lower;
    this.#stream.connection.attach(lower);
    return this.#stream.connection;
  }

  /** What the gate writes now, the BitTorrent handshake, is sent along: it saves a round trip. */
  onOpen(): void {
    const { connection, upper } = this.#stream;
    upper.onOpen();
    const { crypto } = this.#parts;
    const early = concatBytes(...connection.takeHeld());
    const offer = { infoHash: this.#infoHash, provide: OFFERED_METHODS, early };
    this.#handshake = new MseInitiator(crypto, offer, (bytes) => this.#lower?.write([bytes]));
    this.#handshake.start();
  }

  onBytes(view: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#isOver) {
      this.#stream.onBytes(view);
      return;
    }
    const progress = this.#handshake?.receive(view);
    if (!progress || progress.state === 'more') return;
    this.#isOver = true;
    if (progress.state === 'done') this.#stream.begin(progress.session);
    else {
      this.#isClosed = true;
      this.#lower?.close(progress.reason);
    }
  }

  onDrain(): void {
    this.#stream.upper.onDrain();
  }

  onClosed(reason: string): void {
    this.#isClosed = true;
    this.#stream.upper.onClosed(reason);
  }
}

/** An incoming connection, encrypted or not, as far as the policy has it. */
export class SecureAccepting implements ConnectionEvents {
  readonly #parts: SecureParts;
  readonly #lower: Connection;
  readonly #stream: Stream;
  /** The bytes so far, until it is clear what they are. */
  #beginning: Uint8Array | null = new Uint8Array(0);
  #handshake: MseResponder | null = null;
  #isClosed = false;

  constructor(parts: SecureParts, lower: Connection, upper: ConnectionEvents) {
    this.#stream = new Stream(new SecureConnection(false, parts.buffers), upper);
    this.#stream.connection.attach(lower);
    this.#parts = parts;
    this.#lower = lower;
  }

  /** The connection that the engine is to know. */
  get connection(): Connection {
    return this.#stream.connection;
  }

  onOpen(): void {}

  onBytes(view: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#beginning) this.#begin(concatBytes(this.#beginning, view));
    else if (this.#handshake) this.#negotiate(this.#handshake.receive(view));
    else this.#stream.onBytes(view);
  }

  onDrain(): void {
    this.#stream.upper.onDrain();
  }

  onClosed(reason: string): void {
    this.#isClosed = true;
    this.#stream.upper.onClosed(reason);
  }

  /** A key may begin as the plain handshake does, for a few bytes. */
  #begin(bytes: Uint8Array): void {
    const { rules, crypto } = this.#parts;
    const isPlain = looksLikeHandshake(bytes);
    this.#beginning = isPlain && bytes.length < TELLING_BYTES ? bytes : null;
    if (this.#beginning) return;
    if (isPlain && rules.acceptsPlain) {
      this.#stream.connection.open(null);
      this.#stream.upper.onBytes(bytes);
    } else if (isPlain) this.#refuse('it does not encrypt, as we require');
    else {
      const findTorrent = (mark: Uint8Array): Uint8Array | null => this.#parts.findTorrent(mark);
      const options = { findTorrent, accept: rules.accepts };
      this.#handshake = new MseResponder(crypto, options, (reply) => this.#lower.write([reply]));
      this.#negotiate(this.#handshake.receive(bytes));
    }
  }

  #negotiate(progress: MseProgress): void {
    if (progress.state === 'more') return;
    this.#handshake = null;
    if (progress.state === 'done') this.#stream.begin(progress.session);
    else this.#refuse(progress.reason);
  }

  #refuse(reason: string): void {
    this.#isClosed = true;
    this.#lower.close(reason);
  }
}
