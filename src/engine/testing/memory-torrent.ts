/** A torrent's data in memory: content from a seed, a store that can misbehave, hashing. */
import { hash } from 'node:crypto';
import { concatBytes, type Random } from '../../units/index.ts';
import { hashBlocks } from '../../wire/index.ts';
import type { DiskDone, Hasher, PieceStore, TorrentContent } from '../index.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** SHA-1 of `view`. */
export function sha1(view: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha1', view, 'buffer'));
}

/** SHA-256 of `view`. */
export function sha256(view: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', view, 'buffer'));
}

/** Hashes at once. */
export const testHasher: Hasher = {
  sha1,
  hashPiece: (piece, done) => done(sha1(piece)),
  sha256,
  hashBlocks: (piece, done) => done(hashBlocks(piece, sha256)),
};

/** A torrent and the data it describes. */
export interface MemoryTorrent {
  readonly content: TorrentContent;
  readonly infoHash: Uint8Array;
  /** 32 bytes; absent in v1. */
  readonly infoHashV2?: Uint8Array;
  readonly whole: Uint8Array;
}

/** Makes a torrent of random bytes. The info dictionary is no real one: only its hash counts. */
export function makeMemoryTorrent(
  shape: { readonly pieceLengthBytes: number; readonly totalBytes: number },
  random: Random,
): MemoryTorrent {
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
  const content = { name: 'memory', ...shape, pieceHashes, infoBytes };
  return { content, infoHash: sha1(infoBytes), whole };
}

/** A store in memory. Reading and writing take a millisecond. */
export class MemoryStore implements PieceStore {
  readonly bytes: Uint8Array;
  readonly #clock: VirtualClock;
  readonly #pieceLengthBytes: number;
  /** Changes what is read: a seed that lies. */
  spoil: ((offset: number, into: Uint8Array) => void) | null = null;
  /** Reads that begin now never end. */
  isStuck = false;
  /** What the next operations fail with. */
  failure: Error | null = null;

  constructor(clock: VirtualClock, content: TorrentContent) {
    this.#clock = clock;
    this.#pieceLengthBytes = content.pieceLengthBytes;
    this.bytes = new Uint8Array(content.totalBytes);
  }

  writePiece(index: number, piece: Uint8Array, done: DiskDone): void {
    this.#clock.after(1, () => {
      if (!this.failure) this.bytes.set(piece, index * this.#pieceLengthBytes);
      done(this.failure);
    });
  }

  read(offset: number, into: Uint8Array, done: DiskDone): void {
    if (this.isStuck) return;
    this.#clock.after(1, () => {
      into.set(this.bytes.subarray(offset, offset + into.length));
      this.spoil?.(offset, into);
      done(this.failure);
    });
  }
}
