/**
 * Gathers the info dictionary of a magnet from many peers and checks it against the info-hash.
 * Peers may lie about its size and its bytes: sizes are tried in turn, and after a wrong hash the
 * pieces come from one peer alone, so that it is known who lied.
 */
import { equalBytes, type Instant } from '../units/index.ts';
import type { Hasher } from './ports.ts';

/** A piece of metadata (BEP 9). */
export const METADATA_PIECE_BYTES: number = 16 * 1024;

/** Largest info dictionary we fetch: 2 million pieces need 40 MB of hashes, real ones far less. */
const METADATA_BYTES_MAX: number = 30 * 1024 * 1024;

/** Pieces asked of one peer at a time. */
const PER_PEER_MAX = 4;

/** A size, or a peer that gives alone, has so long while others offer something else. */
const ATTEMPT_MS = 30_000;

/** How the collector checks and hands over what it gathered. */
export interface MetadataTarget {
  /** 20 bytes; of a torrent that is known by v2 alone, the beginning of `infoHashV2`. */
  readonly infoHash: Uint8Array;
  /** 32 bytes, when they are known (BEP 52). */
  readonly infoHashV2: Uint8Array | null;
  readonly hasher: Pick<Hasher, 'sha1' | 'sha256'>;
  /** The info dictionary, proven by its hash. */
  readonly onComplete: (infoBytes: Uint8Array) => void;
}

/** One torrent's metadata while it is unknown. */
export class MetadataCollector {
  readonly #target: MetadataTarget;
  /** Peer key → the size it claims. */
  readonly #offers = new Map<number, number>();
  /** Peers that gave all of a wrong dictionary. */
  readonly #liars = new Set<number>();
  /** Size → how often it was tried. */
  readonly #tries = new Map<number, number>();
  #bytes: Uint8Array | null = null;
  /** Per piece: 0 free, -1 here, else the peer key it was asked of. */
  #pieces: Int32Array = new Int32Array(0);
  readonly #givers = new Set<number>();
  /** After a wrong hash; the first peer that asks for work is the one. */
  #isSolo = false;
  #soloPeer = 0;
  #since = -Infinity;

  constructor(target: MetadataTarget) {
    this.#target = target;
  }

  /** The share of pieces that are here, 0 … 1. */
  get progress(): number {
    const here = this.#pieces.filter((state) => state === -1).length;
    return this.#pieces.length === 0 ? 0 : here / this.#pieces.length;
  }

  /** A peer's claim of the size. False when it is not credible, or the peer is not. */
  offer(peerKey: number, size: number): boolean {
    if (this.#liars.has(peerKey)) return false;
    if (!Number.isSafeInteger(size) || size <= 0 || size > METADATA_BYTES_MAX) return false;
    if (this.#offers.get(peerKey) !== size) this.withdraw(peerKey);
    this.#offers.set(peerKey, size);
    if (!this.#bytes) this.#begin();
    return true;
  }

  /** The next piece to ask of a peer, or null. */
  next(peerKey: number, now: Instant): number | null {
    if (this.#since === -Infinity) this.#since = now;
    if (now - this.#since > ATTEMPT_MS) this.#giveWay(now);
    if (!this.#bytes || this.#offers.get(peerKey) !== this.#bytes.length) return null;
    if (this.#isSolo) {
      if (this.#soloPeer === 0) this.#soloPeer = peerKey;
      if (this.#soloPeer !== peerKey) return null;
    }
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

  /** Whether a peer has been asked for something that has not come. */
  isWaitingFor(peerKey: number): boolean {
    return this.#pieces.includes(peerKey);
  }

  /** A peer left, refused or fell silent: others are asked. */
  withdraw(peerKey: number): void {
    if (!this.#offers.delete(peerKey)) return;
    for (const [piece, state] of this.#pieces.entries()) {
      if (state === peerKey) this.#pieces[piece] = 0;
    }
    const isNeeded = this.#bytes && [...this.#offers.values()].includes(this.#bytes.length);
    if (!isNeeded || this.#soloPeer === peerKey) this.#begin();
  }

  /** A piece came. One that was not asked of this peer, or has a wrong length, is ignored. */
  take(peerKey: number, piece: number, bytes: Uint8Array): void {
    if (!this.#bytes || this.#pieces[piece] !== peerKey) return;
    const start = piece * METADATA_PIECE_BYTES;
    const wanted = Math.min(METADATA_PIECE_BYTES, this.#bytes.length - start);
    if (bytes.length !== wanted) {
      this.withdraw(peerKey);
      return;
    }
    this.#bytes.set(bytes, start);
    this.#pieces[piece] = -1;
    this.#givers.add(peerKey);
    if (this.#pieces.every((state) => state === -1)) this.#finish(this.#bytes);
  }

  #finish(bytes: Uint8Array): void {
    if (this.#isNamed(bytes)) {
      this.#target.onComplete(bytes);
      return;
    }
    // Whoever gave all of it is not asked again; of several, it is not known who lied.
    const [giver, ...others] = this.#givers;
    this.#isSolo = true;
    if (others.length === 0 && giver !== undefined) {
      this.#liars.add(giver);
      this.#offers.delete(giver);
    }
    this.#begin();
  }

  /** Whether these are the bytes that one of the info-hashes names. */
  #isNamed(bytes: Uint8Array): boolean {
    const { infoHash, infoHashV2, hasher } = this.#target;
    if (infoHashV2 && equalBytes(hasher.sha256(bytes), infoHashV2)) return true;
    return equalBytes(hasher.sha1(bytes), infoHash);
  }

  /** Time is up for this size or this peer, when there is another. */
  #giveWay(now: Instant): void {
    this.#since = now;
    if (this.#soloPeer !== 0 && this.#offers.size > 1) this.withdraw(this.#soloPeer);
    else if (new Set(this.#offers.values()).size > 1) this.#begin();
  }

  /** Starts over with the size that was tried least; of those, the one that most peers claim. */
  #begin(): void {
    const votes = new Map<number, number>();
    for (const size of this.#offers.values()) votes.set(size, (votes.get(size) ?? 0) + 1);
    for (const size of this.#tries.keys()) if (!votes.has(size)) this.#tries.delete(size);
    const tries = (size: number): number => this.#tries.get(size) ?? 0;
    const sizes = [...votes].sort(([a, forA], [b, forB]) => tries(a) - tries(b) || forB - forA);
    const size = sizes[0]?.[0];
    this.#givers.clear();
    this.#soloPeer = 0;
    this.#since = -Infinity;
    this.#bytes = size === undefined ? null : new Uint8Array(size);
    this.#pieces = new Int32Array(Math.ceil((size ?? 0) / METADATA_PIECE_BYTES));
    if (size !== undefined) this.#tries.set(size, tries(size) + 1);
  }
}
