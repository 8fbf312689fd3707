/** How long the pieces of a new torrent are. */
import type { Bytes } from '../../units/index.ts';

/** Shortest piece we make, one block: what BEP 52 demands at least. */
export const PIECE_LENGTH_BYTES_CHOSEN_MIN: number = 16 * 1024;

/** Longest piece we choose: beyond it a bad piece wastes more than the smaller torrent saves. */
export const PIECE_LENGTH_BYTES_CHOSEN_MAX: number = 16 * 1024 * 1024;

/**
 * Pieces aimed at: a v1 torrent of them has 40 KiB of hashes, and an announcement fits a packet.
 */
const PIECES_AIMED_MAX = 2048;

/**
 * The smallest power of two from 16 KiB that cuts `totalBytes` into at most 2,048 pieces, but never
 * more than 16 MiB: 1 GiB gets 512 KiB, everything past 16 GiB gets 16 MiB.
 */
export function choosePieceLength(totalBytes: Bytes): number {
  let length = PIECE_LENGTH_BYTES_CHOSEN_MIN;
  while (length < PIECE_LENGTH_BYTES_CHOSEN_MAX && totalBytes > length * PIECES_AIMED_MAX) {
    length *= 2;
  }
  return length;
}
