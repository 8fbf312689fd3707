/**
 * Super-seeding (BEP 16): a lone seed shows each peer only pieces that nobody else has, so that it
 * sends hardly any of them twice. It is over when the others together have everything.
 */
import { Bitfield, type Instant, type Random, shuffle } from '../units/index.ts';

/** Pieces a peer is entrusted with at a time: one to fetch, one to pass on (as in libtorrent). */
const ENTRUSTED_MAX = 2;
/** A piece that nobody else has after so long is entrusted to another peer. */
const PATIENCE_MS = 60_000;

/** A peer, as pieces are shown to it. */
export interface Viewer {
  readonly isSeed: boolean;
  readonly download: { readonly pieces: { has(piece: number): boolean } };
  readonly upload: { reveal(piece: number): void; announceLate(): void };
  flush(): void;
}

interface Trust {
  readonly peerKey: number;
  readonly since: Instant;
}

/** Whether a torrent shows its pieces one at a time, and when it ceases to. */
export class Revealing {
  /** Begun complete, the torrent super-seeds until others have everything. */
  isWanted = false;
  readonly #peers: ReadonlyMap<number, Viewer>;
  #now: SuperSeeding | null = null;

  constructor(peers: ReadonlyMap<number, Viewer>) {
    this.#peers = peers;
  }

  get isOn(): boolean {
    return this.#now !== null;
  }

  /** The torrent begins, and is complete. */
  begin(pieceCount: number, random: Random): void {
    if (this.isWanted) this.#now = new SuperSeeding(pieceCount, this.#peers, random);
  }

  /** A peer says that it has a piece; null when it said more than one. */
  onShown(peerKey: number, piece: number | null, now: Instant): void {
    this.#now?.onShown(peerKey, piece, now);
  }

  /** Twice a second. */
  tick(now: Instant): void {
    this.#now?.tick(now);
    if (!this.#now?.isOver) return;
    this.#now = null;
    for (const peer of this.#peers.values()) peer.upload.announceLate();
  }
}

/** Which pieces were shown to whom. */
class SuperSeeding {
  readonly #peers: ReadonlyMap<number, Viewer>;
  /** Pieces that some peer has, or had. */
  readonly #seen: Bitfield;
  /** Pieces to show, the next one last; some have been seen since they were put here. */
  readonly #fresh: number[];
  /** By piece. */
  readonly #trusts = new Map<number, Trust>();

  /** `peers` are those of the torrent, by their keys. */
  constructor(pieceCount: number, peers: ReadonlyMap<number, Viewer>, random: Random) {
    this.#peers = peers;
    this.#seen = new Bitfield(pieceCount);
    this.#fresh = shuffle([...new Array(pieceCount).keys()], random);
  }

  /** Every piece has been seen at somebody else, and passed on by whoever it was entrusted to. */
  get isOver(): boolean {
    return this.#seen.isComplete && this.#trusts.size === 0;
  }

  /** A peer says that it has a piece; null when it said more than one. */
  onShown(peerKey: number, piece: number | null, now: Instant): void {
    if (piece !== null) this.#see(piece, peerKey, now);
    if (piece !== null) return;
    const pieces = this.#peers.get(peerKey)?.download.pieces;
    for (let each = 0; each < this.#seen.size; each++) {
      if (pieces?.has(each)) this.#see(each, peerKey, now);
    }
  }

  /** Twice a second: new peers get their first pieces, others what a silent one has kept. */
  tick(now: Instant): void {
    for (const [piece, { peerKey, since }] of this.#trusts) {
      const isGone = !this.#peers.has(peerKey);
      if (!isGone && now - since < PATIENCE_MS) continue;
      this.#trusts.delete(piece);
      if (!this.#seen.has(piece)) this.#fresh.unshift(piece);
    }
    for (const peerKey of this.#peers.keys()) this.#entrust(peerKey, now);
  }

  #see(piece: number, peerKey: number, now: Instant): void {
    this.#seen.set(piece);
    const trust = this.#trusts.get(piece);
    // Who is alone has nobody to pass it on to.
    if (!trust || (trust.peerKey === peerKey && this.#peers.size > 1)) return;
    this.#trusts.delete(piece);
    this.#entrust(trust.peerKey, now);
  }

  #entrust(peerKey: number, now: Instant): void {
    const peer = this.#peers.get(peerKey);
    if (!peer || peer.isSeed) return;
    let count = 0;
    for (const trust of this.#trusts.values()) if (trust.peerKey === peerKey) count++;
    for (; count < ENTRUSTED_MAX; count++) {
      const piece = this.#takeFresh();
      if (piece === null) return;
      this.#trusts.set(piece, { peerKey, since: now });
      peer.upload.reveal(piece);
    }
    peer.flush();
  }

  #takeFresh(): number | null {
    for (;;) {
      const piece = this.#fresh.pop();
      if (piece === undefined) return null;
      if (!this.#seen.has(piece)) return piece;
    }
  }
}
