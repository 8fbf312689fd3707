/** From the last block of a piece to a verified piece on disk, or to blame for a bad one. */
import { equalBytes } from '../units/index.ts';
import { Blame } from './blame.ts';
import type { TorrentContent } from './content.ts';
import type { PartialPiece } from './partial-piece.ts';
import type { PieceWork } from './peer-owner.ts';
import type { Hasher } from './ports.ts';

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

/** SHA-1 digests are 20 bytes. */
const DIGEST_BYTES = 20;

/** Checks and stores the pieces of one torrent. */
export class PieceFlow {
  readonly #content: TorrentContent;
  readonly #work: PieceWork;
  readonly #hasher: Hasher;
  readonly #events: PieceFlowEvents;
  readonly #blame: Blame;
  failedPieces = 0;

  constructor(
    content: TorrentContent,
    work: PieceWork,
    deps: { readonly hasher: Hasher; readonly events: PieceFlowEvents },
  ) {
    this.#content = content;
    this.#work = work;
    this.#hasher = deps.hasher;
    this.#events = deps.events;
    this.#blame = new Blame((view) => deps.hasher.sha1(view));
  }

  /** All blocks are here. */
  check(piece: PartialPiece): void {
    this.#work.picker.close(piece);
    this.#hasher.hashPiece(piece.slab, (digest) => {
      const start = piece.index * DIGEST_BYTES;
      const wanted = this.#content.pieceHashes.subarray(start, start + DIGEST_BYTES);
      const isGood = equalBytes(digest, wanted);
      const guilty = isGood ? this.#blame.onGood(piece) : this.#blame.onFailed(piece);
      for (const [peerKey, size] of piece.bytesByPeer()) {
        this.#events.onChecked(peerKey, size, isGood);
      }
      if (isGood) this.#store(piece);
      else this.#discard(piece);
      for (const peerKey of guilty) this.#events.onGuilty(peerKey);
    });
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
