/** Cuts a stream of consecutive bytes into the piece messages that were asked for. */
import { type BlockRef, PIECE_HEADER_BYTES, putPieceHeader } from '../../wire/index.ts';

/** The blocks of one run, which follow each other. */
export class BlockCutter {
  readonly #blocks: readonly BlockRef[];
  #at = 0;
  #message: Uint8Array | null = null;
  #filled = 0;

  constructor(blocks: readonly BlockRef[]) {
    this.#blocks = blocks;
  }

  /** Takes the next bytes; yields each message they complete. Bytes beyond the last are dropped. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let rest = chunk;
    while (rest.length > 0) {
      const block = this.#blocks[this.#at];
      if (!block) return;
      const message = this.#message ?? this.#begin(block);
      const taken = rest.subarray(0, message.length - this.#filled);
      message.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled < message.length) return;
      this.#message = null;
      this.#at++;
      yield message;
    }
  }

  #begin(block: BlockRef): Uint8Array {
    const message = new Uint8Array(PIECE_HEADER_BYTES + block.length);
    putPieceHeader(message, 0, block);
    this.#message = message;
    this.#filled = PIECE_HEADER_BYTES;
    return message;
  }
}
