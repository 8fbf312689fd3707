/** What one peer has, and how much of it we lack. */
import { Bitfield } from '../units/index.ts';
import { WireError } from '../wire/index.ts';
import type { PiecePicker } from './piece-picker.ts';
import type { Selection } from './selection.ts';

/** Have messages kept while the metadata, and so the number of pieces, is unknown. */
const EARLY_HAVES_MAX = 10_000;

/** The torrent's side of the comparison; null while only a magnet is known. */
export interface PiecesContext {
  readonly have: Bitfield;
  readonly selection: Selection;
  readonly picker: PiecePicker;
}

/** The pieces of one peer. Tells the picker, so that rarity is right. */
export class PeerPieces {
  /** It has everything: not counted piece by piece. */
  hasAll = false;
  /** Pieces it has and we want and lack. */
  interestingCount = 0;
  #pieces: Bitfield | null = null;
  #early: Uint8Array | null = null;
  #earlyHaves: number[] = [];

  has(piece: number): boolean {
    return this.hasAll || (this.#pieces?.has(piece) ?? false);
  }

  /** It has everything, whichever way we learned that. */
  get isComplete(): boolean {
    return this.hasAll || (this.#pieces?.isComplete ?? false);
  }

  /** The metadata has come: what was said before is understood now. */
  start(context: PiecesContext): void {
    this.#pieces ??= new Bitfield(context.have.size);
    const early = this.#early;
    const haves = this.#earlyHaves;
    this.#early = null;
    this.#earlyHaves = [];
    if (this.hasAll) this.setAll(context);
    else if (early) this.setBits(early, context);
    for (const piece of haves) this.add(piece, context);
  }

  /** The torrent is about to begin anew: what the peer has is understood again then. */
  restart(): void {
    this.#early = this.#pieces?.toBytes() ?? null;
    this.#pieces = null;
    this.interestingCount = 0;
  }

  setAll(context: PiecesContext | null): void {
    this.hasAll = true;
    if (context) this.interestingCount = context.selection.missingCount;
  }

  /** A bitfield; one of a wrong length or with spare bits set ends the connection (BEP 3). */
  setBits(bits: Uint8Array, context: PiecesContext | null): void {
    if (!context) {
      this.#early = bits.slice();
      return;
    }
    const pieces = Bitfield.fromBytes(bits, context.have.size);
    if (!pieces) {
      throw new WireError('WIRE_MESSAGE', `a bitfield of ${bits.length} bytes does not fit`);
    }
    if (pieces.isComplete) {
      this.setAll(context);
      return;
    }
    for (let piece = 0; piece < pieces.size; piece++) {
      if (pieces.has(piece)) this.add(piece, context);
    }
  }

  /** One more piece; an index past the end ends the connection. */
  add(piece: number, context: PiecesContext | null): void {
    if (!context) {
      if (this.#earlyHaves.length < EARLY_HAVES_MAX) this.#earlyHaves.push(piece);
      return;
    }
    this.#pieces ??= new Bitfield(context.have.size);
    if (piece >= context.have.size) {
      throw new WireError('WIRE_MESSAGE', `piece ${piece} of ${context.have.size} was announced`);
    }
    if (this.hasAll || !this.#pieces.set(piece)) return;
    context.picker.peerHas(piece);
    if (context.selection.isMissing(piece)) this.interestingCount++;
  }

  /** It lost a piece that it had (BEP 54); an index past the end ends the connection. */
  remove(piece: number, context: PiecesContext | null): void {
    if (!context) return;
    const { size } = context.have;
    if (piece >= size) {
      throw new WireError('WIRE_MESSAGE', `piece ${piece} of ${size} was taken back`);
    }
    if (!this.has(piece)) return;
    if (this.hasAll) this.#countOneByOne(context);
    this.#pieces?.clear(piece);
    context.picker.peerLost(piece);
    if (context.selection.isMissing(piece)) this.interestingCount--;
  }

  /** A piece that we wanted is here: it is of no interest any more. */
  onWeGot(piece: number): void {
    if (this.has(piece)) this.interestingCount--;
  }

  /** These pieces, which we lack, are wanted now or not any more. */
  onTurned(pieces: readonly number[], { selection }: PiecesContext): void {
    for (const piece of pieces) {
      if (this.has(piece)) this.interestingCount += selection.isWanted(piece) ? 1 : -1;
    }
  }

  /** It had everything, and will not: its pieces count for rarity from now on. */
  #countOneByOne({ have, picker }: PiecesContext): void {
    this.hasAll = false;
    const counted = this.#pieces;
    this.#pieces = new Bitfield(have.size);
    for (let piece = 0; piece < have.size; piece++) {
      this.#pieces.set(piece);
      if (!counted?.has(piece)) picker.peerHas(piece);
    }
  }

  /** The peer is gone: its pieces are rarer now. */
  close(context: PiecesContext | null): void {
    if (!context || !this.#pieces || this.#pieces.count === 0) return;
    for (let piece = 0; piece < this.#pieces.size; piece++) {
      if (this.#pieces.has(piece)) context.picker.peerLost(piece);
    }
  }
}
