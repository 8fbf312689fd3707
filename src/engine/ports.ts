/** All the engine needs from outside: connections, disk, hashing. `platform` implements it. */

/** What arrives on a connection. The engine implements it, once per connection. */
export interface ConnectionEvents {
  /** An outgoing connection is established. */
  onOpen(): void;
  /**
   * Bytes from the peer. Borrowed: the reader's buffer is reused after the call, and may be changed
   * during it (encrypted bytes are decrypted where they lie).
   */
  onBytes(view: Uint8Array): void;
  /** The queue of written bytes went down to nothing. */
  onDrain(): void;
  /** The connection is gone; no other event follows. */
  onClosed(reason: string): void;
}

/** A peer connection as the engine uses it. */
export interface Connection {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly isOutbound: boolean;
  /** Carried by uTP; absent is no. */
  readonly isUtp?: boolean;
  /** What is written is encrypted on the way; absent is no. */
  readonly isEncrypted?: boolean;
  /** Written bytes that the operating system has not taken yet. */
  readonly queuedBytes: number;
  /**
   * Sends the parts in order, as one write. Lends them: the caller leaves them unchanged until
   * `done` is called (also when the connection closes before they were sent).
   */
  write(parts: readonly Uint8Array[], done?: () => void): void;
  pauseReading(): void;
  resumeReading(): void;
  /** Closes at once; `onClosed` follows. */
  close(reason: string): void;
}

/** Opens connections. */
export interface Dialer {
  connect(host: string, port: number, events: ConnectionEvents): Connection;
}

/** Outcome of a disk operation: null is success. */
export type DiskDone = (failure: Error | null) => void;

/** The data of one torrent, addressed in the torrent's own byte space. */
export interface PieceStore {
  /** Writes a whole piece. Lends `piece` until `done`. */
  writePiece(index: number, piece: Uint8Array, done: DiskDone): void;
  /** Fills `into` from `offset`. Lends `into` until `done`. */
  read(offset: number, into: Uint8Array, done: DiskDone): void;
}

/** Hash functions, which the pure layers cannot import. */
export interface Hasher {
  /** SHA-1 of a small array, at once. */
  sha1(view: Uint8Array): Uint8Array;
  /** SHA-1 of a whole piece; `done` may be called before this returns. Lends `piece`. */
  hashPiece(piece: Uint8Array, done: (digest: Uint8Array) => void): void;
  /** SHA-256 of a small array, at once. */
  sha256(view: Uint8Array): Uint8Array;
  /** SHA-256 of each 16 KiB block of a piece, joined; else as `hashPiece`. */
  hashBlocks(piece: Uint8Array, done: (hashes: Uint8Array) => void): void;
}
