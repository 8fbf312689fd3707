/** From the last block of a piece to a verified piece on disk, or to blame for a bad one. */
import { equalBytes } from '../units/index.ts';
import { MERKLE_HASH_BYTES } from '../wire/index.ts';
import { Blame } from './blame.ts';
import type { PieceGeometry, TorrentContent } from './content.ts';
import type { PlacedPiece } from './hash-trees.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { PiecePicker } from './piece-picker.ts';
import type { Hasher, PieceStore } from './ports.ts';
import type { TorrentHashes } from './torrent-hashes.ts';

/** What happens to pieces, told to the torrent. */
export interface PieceFlowEvents {
  /** Right and on disk. */
  onGood(piece: number): void;
  /** `byteCount` of a checked piece came from `peerKey`. */
  onChecked(peerKey: number, byteCount: number, isGood: boolean): void;
  /** This peer sent bad data, without doubt. */
  onGuilty(peerKey: number): void;
  /** The disk refused the piece; its data is lost and wanted again. */
  onDiskFailure(failure: Error): void;
}

/** Where checked pieces go. */
export interface PieceSink {
  readonly geometry: PieceGeometry;
  readonly picker: PiecePicker;
  readonly store: PieceStore;
}

/** What checking needs. */
export interface PieceFlowDeps {
  readonly hasher: Hasher;
  /** Of a torrent with v2 hashes. */
  readonly hashes: TorrentHashes | null;
  readonly events: PieceFlowEvents;
}

/** SHA-1 digests are 20 bytes. */
const DIGEST_BYTES = 20;

/** Checks and stores the pieces of one torrent. */
export class PieceFlow {
  readonly #pieceHashes: Uint8Array | null;
  readonly #work: PieceSink;
  readonly #deps: PieceFlowDeps;
  readonly #events: PieceFlowEvents;
  readonly #blame: Blame;
  failedPieces = 0;

  constructor(
    { pieceHashes }: Pick<TorrentContent, 'pieceHashes'>,
    work: PieceSink,
    deps: PieceFlowDeps,
  ) {
    this.#pieceHashes = pieceHashes;
    this.#work = work;
    this.#deps = deps;
    this.#events = deps.events;
    this.#blame = new Blame((view) => deps.hasher.sha1(view));
  }

  /** All blocks are here. Where a torrent has v1 hashes, they are enough. */
  check(piece: PartialPiece): void {
    this.#work.picker.close(piece);
    const hashes = this.#pieceHashes;
    if (!hashes) {
      this.#checkTree(piece);
      return;
    }
    this.#deps.hasher.hashPiece(piece.slab, (digest) => {
      const start = piece.index * DIGEST_BYTES;
      this.#judge(piece, equalBytes(digest, hashes.subarray(start, start + DIGEST_BYTES)));
    });
  }

  #judge(piece: PartialPiece, isGood: boolean): void {
    const guilty = isGood ? this.#blame.onGood(piece) : this.#blame.onFailed(piece);
    for (const [peerKey, size] of piece.bytesByPeer()) {
      this.#events.onChecked(peerKey, size, isGood);
    }
    if (isGood) this.#store(piece);
    else this.#discard(piece);
    for (const peerKey of guilty) this.#events.onGuilty(peerKey);
  }

  /** Checks a piece of a torrent that has v2 hashes alone. */
  #checkTree(piece: PartialPiece): void {
    const place = this.#deps.hashes?.trees.find(piece.index) ?? null;
    this.#deps.hasher.hashBlocks(piece.slab, (hashes) => {
      const isGood = place?.tree.isRight(place.nth, hashes) ?? false;
      if (isGood || !place) this.#judge(piece, isGood);
      else this.#findBad(piece, { place, hashes });
    });
  }

  /**
   * Of a piece that several peers gave, the hashes of its blocks tell who was wrong. They are asked
   * for; when nobody has them, the piece is thrown away, as it would be in v1.
   */
  #findBad(
    piece: PartialPiece,
    { place, hashes }: { readonly place: PlacedPiece; readonly hashes: Uint8Array },
  ): void {
    const givers = new Set(piece.bytesByPeer().keys());
    if (givers.size === 1 || !this.#deps.hashes) {
      this.#judge(piece, false);
      return;
    }
    this.#deps.hashes.wishForBlocks(place, givers, (wanted) => {
      if (wanted) this.#reopen(piece, badBlocks(hashes, wanted));
      else this.#judge(piece, false);
    });
  }

  /** Keeps what is right of a piece; the rest is asked for again. */
  #reopen(piece: PartialPiece, bad: readonly number[]): void {
    this.failedPieces++;
    const guilty = new Map<number, number>();
    for (const block of bad) {
      const peerKey = piece.peerOf(block);
      const size = this.#work.geometry.blockLength(piece.index, block);
      guilty.set(peerKey, (guilty.get(peerKey) ?? 0) + size);
      piece.reopen(block);
    }
    this.#work.picker.reopen(piece);
    for (const [peerKey, size] of guilty) {
      this.#events.onChecked(peerKey, size, false);
      this.#events.onGuilty(peerKey);
    }
  }

  #store(piece: PartialPiece): void {
    this.#work.store.writePiece(piece.index, piece.slab, (failure) => {
      this.#work.picker.settle(piece, failure === null);
      if (failure) this.#events.onDiskFailure(failure);
      else this.#events.onGood(piece.index);
    });
  }

  #discard(piece: PartialPiece): void {
    this.failedPieces++;
    if (this.#blame.isSuspect(piece.index)) this.#work.picker.isolate(piece.index);
    this.#work.picker.settle(piece, false);
  }
}

/** Blocks whose hash is not the wanted one. */
function badBlocks(hashes: Uint8Array, wanted: Uint8Array): number[] {
  const bad: number[] = [];
  for (let at = 0; at < hashes.length; at += MERKLE_HASH_BYTES) {
    const end = at + MERKLE_HASH_BYTES;
    if (!equalBytes(hashes.subarray(at, end), wanted.subarray(at, end))) {
      bad.push(at / MERKLE_HASH_BYTES);
    }
  }
  return bad;
}
