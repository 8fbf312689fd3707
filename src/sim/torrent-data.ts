/** A torrent's data in memory: content from a seed, a store that can misbehave, hashing. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DiskDone, Hasher, PieceStore, TorrentContent } from '../engine/index.ts';
import { concatBytes, type Random } from '../units/index.ts';
import { hashBlocks } from '../wire/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Disk and hashing answer after so long. */
const DISK_MS = 1;

/** A hasher whose answers about pieces take a millisecond. */
export function virtualHasher(clock: VirtualClock): Hasher {
  return {
    sha1,
    hashPiece: (piece, done) => clock.after(DISK_MS, () => done(sha1(piece))),
    sha256,
    hashBlocks: (piece, done) => clock.after(DISK_MS, () => done(hashBlocks(piece, sha256))),
  };
}

/** A torrent and the data it describes. */
export interface TorrentData {
  readonly content: TorrentContent;
  readonly infoHash: Uint8Array;
  readonly whole: Uint8Array;
  readonly pieceCount: number;
}

/** Makes a torrent of random bytes. The info dictionary is no real one: only its hash counts. */
export function makeTorrentData(
  shape: { readonly pieceLengthBytes: number; readonly totalBytes: number },
  random: Random,
): TorrentData {
  const whole = new Uint8Array(shape.totalBytes).map(() => Math.floor(random() * 256));
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += shape.pieceLengthBytes) {
    hashes.push(sha1(whole.subarray(at, at + shape.pieceLengthBytes)));
  }
  const pieceHashes = concatBytes(...hashes);
  const infoBytes = concatBytes(
    Uint8Array.from('info', (char) => char.charCodeAt(0)),
    pieceHashes,
  );
  const content = { name: 'simulated', ...shape, pieceHashes, infoBytes };
  return { content, infoHash: sha1(infoBytes), whole, pieceCount: hashes.length };
}

/** A store in memory. Reading and writing take a millisecond. */
export class VirtualStore implements PieceStore {
  readonly bytes: Uint8Array;
  readonly #clock: VirtualClock;
  readonly #pieceLengthBytes: number;
  /** Changes what is read: a peer that lies. */
  spoil: ((offset: number, into: Uint8Array) => void) | null = null;

  constructor(clock: VirtualClock, content: TorrentContent) {
    this.#clock = clock;
    this.#pieceLengthBytes = content.pieceLengthBytes;
    this.bytes = new Uint8Array(content.totalBytes);
  }

  writePiece(index: number, piece: Uint8Array, done: DiskDone): void {
    this.#clock.after(DISK_MS, () => {
      this.bytes.set(piece, index * this.#pieceLengthBytes);
      done(null);
    });
  }

  read(offset: number, into: Uint8Array, done: DiskDone): void {
    this.#clock.after(DISK_MS, () => {
      into.set(this.bytes.subarray(offset, offset + into.length));
      this.spoil?.(offset, into);
      done(null);
    });
  }
}
