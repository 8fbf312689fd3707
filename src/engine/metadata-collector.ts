/** Gathers the info dictionary of a magnet from many peers and checks it against the info-hash. */
import { equalBytes } from '../units/index.ts';

const PIECE_BYTES = 16 * 1024;

/** Largest info dictionary we fetch: 2 million pieces need 40 MB of hashes, real ones far less. */
export const METADATA_BYTES_MAX: number = 30 * 1024 * 1024;

/** Pieces asked of one peer at a time. */
const PER_PEER_MAX = 4;

/** How the collector checks and hands over what it gathered. */
export interface MetadataTarget {
  readonly infoHash: Uint8Array;
  readonly sha1: (view: Uint8Array) => Uint8Array;
  /** The info dictionary, proven by its hash. */
  readonly onComplete: (infoBytes: Uint8Array) => void;
}

/** One torrent's metadata while it is unknown. */
export class MetadataCollector {
  readonly #target: MetadataTarget;
  #bytes: Uint8Array | null = null;
  /** Per piece: 0 free, -1 here, else the peer key it was asked of. */
  #pieces: Int32Array = new Int32Array(0);

  constructor(target: MetadataTarget) {
    this.#target = target;
  }

  /** The share of pieces that are here, 0 … 1. */
  get progress(): number {
    const here = this.#pieces.filter((state) => state === -1).length;
    return this.#pieces.length === 0 ? 0 : here / this.#pieces.length;
  }

  /** A peer's claim of the size. False when it is not credible or another size is being tried. */
  offerSize(size: number): boolean {
    if (size <= 0 || size > METADATA_BYTES_MAX) return false;
    if (this.#bytes) return this.#bytes.length === size;
    this.#bytes = new Uint8Array(size);
    this.#pieces = new Int32Array(Math.ceil(size / PIECE_BYTES));
    return true;
  }

  /** The next piece to ask of a peer, or null. */
  next(peerKey: number): number | null {
    let asked = 0;
    let free = -1;
    for (const [piece, state] of this.#pieces.entries()) {
      if (state === peerKey) asked++;
      if (state === 0 && free < 0) free = piece;
    }
    if (free < 0 || asked >= PER_PEER_MAX) return null;
    this.#pieces[free] = peerKey;
    return free;
  }

  /** A peer left or fell silent: what it was asked for is free again. */
  release(peerKey: number): void {
    for (const [piece, state] of this.#pieces.entries()) {
      if (state === peerKey) this.#pieces[piece] = 0;
    }
  }

  /** A piece came. One that was not asked of this peer, or has a wrong length, is ignored. */
  take(peerKey: number, piece: number, bytes: Uint8Array): void {
    if (!this.#bytes || this.#pieces[piece] !== peerKey) return;
    const start = piece * PIECE_BYTES;
    const wanted = Math.min(PIECE_BYTES, this.#bytes.length - start);
    if (bytes.length !== wanted) {
      this.#pieces[piece] = 0;
      return;
    }
    this.#bytes.set(bytes, start);
    this.#pieces[piece] = -1;
    if (this.#pieces.every((state) => state === -1)) this.#finish(this.#bytes);
  }

  #finish(bytes: Uint8Array): void {
    if (equalBytes(this.#target.sha1(bytes), this.#target.infoHash)) {
      this.#target.onComplete(bytes);
      return;
    }
    // Somebody lied about the size or a piece. Start over; the next size offered may be another.
    this.#bytes = null;
    this.#pieces = new Int32Array(0);
  }
}
