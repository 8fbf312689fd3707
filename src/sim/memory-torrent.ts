/** A torrent in memory: its content, random bytes from a seed, and how they are hashed. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { HashedFile, Hasher, TorrentContent } from '../engine/index.ts';
import { concatBytes, type Random } from '../units/index.ts';
import { fileTree, hashBlocks } from '../wire/index.ts';
import { DISK_MS } from './memory-store.ts';
import type { VirtualClock } from './virtual-clock.ts';

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
export interface MemoryTorrent {
  readonly content: TorrentContent;
  /** 20 bytes; of a torrent with v2 hashes alone, the beginning of `infoHashV2`. */
  readonly infoHash: Uint8Array;
  /** 32 bytes; null in v1. */
  readonly infoHashV2: Uint8Array | null;
  /** Padding between files counted. */
  readonly whole: Uint8Array;
  readonly pieceCount: number;
}

/** How large a torrent is, and which hashes it has. */
export interface TorrentShape {
  /** Default 32 KiB. */
  readonly pieceLengthBytes?: number;
  /** Of a v1 torrent of one file. Default 1,000,003. */
  readonly totalBytes?: number;
  /** With them it has v2 hashes, and each file begins at a piece. */
  readonly fileLengths?: readonly number[];
  /** Beside v2 hashes it has those of v1. */
  readonly isHybrid?: boolean;
}

/** Makes a torrent of random bytes. The info dictionary is no real one: only its hash counts. */
export function makeMemoryTorrent(shape: TorrentShape, random: Random): MemoryTorrent {
  const { pieceLengthBytes = 32 * 1024, totalBytes = 1_000_003, fileLengths, isHybrid } = shape;
  const files = (fileLengths ?? [totalBytes]).map((length) => randomBytes(length, random));
  const whole = fileLengths
    ? concatBytes(...padded(files, pieceLengthBytes))
    : concatBytes(...files);
  const hashedFiles = fileLengths ? hashFiles(files, pieceLengthBytes) : null;
  const pieceHashes = !fileLengths || isHybrid ? hashPieces(whole, pieceLengthBytes) : null;
  const infoBytes = concatBytes(
    Uint8Array.from('info', (char) => char.charCodeAt(0)),
    pieceHashes ?? new Uint8Array(0),
    ...(hashedFiles ?? []).map((file) => file.root),
  );
  const infoHashV2 = hashedFiles && sha256(infoBytes);
  return {
    content: {
      ...{ name: 'simulated', pieceLengthBytes, totalBytes: whole.length },
      ...{ pieceHashes, hashedFiles, infoBytes },
    },
    infoHash: pieceHashes || !infoHashV2 ? sha1(infoBytes) : infoHashV2.slice(0, 20),
    infoHashV2,
    whole,
    pieceCount: Math.ceil(whole.length / pieceLengthBytes),
  };
}

/** The same without its piece layers, as peers tell it. */
export function withoutLayers(content: TorrentContent): TorrentContent {
  const hashedFiles = content.hashedFiles?.map((file) => ({ ...file, layer: null }));
  return hashedFiles ? { ...content, hashedFiles } : content;
}

/** `count` random bytes. */
export function randomBytes(count: number, random: Random): Uint8Array {
  return new Uint8Array(count).map(() => Math.floor(random() * 256));
}

function padded(files: readonly Uint8Array[], pieceLengthBytes: number): Uint8Array[] {
  return files.flatMap((file) => [file, new Uint8Array(-file.length & (pieceLengthBytes - 1))]);
}

function hashPieces(whole: Uint8Array, pieceLengthBytes: number): Uint8Array {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += pieceLengthBytes) {
    hashes.push(sha1(whole.subarray(at, at + pieceLengthBytes)));
  }
  return concatBytes(...hashes);
}

function hashFiles(files: readonly Uint8Array[], pieceLengthBytes: number): HashedFile[] {
  let firstPiece = 0;
  return files.map((file) => {
    const { root, pieceLayer } = fileTree(hashBlocks(file, sha256), pieceLengthBytes, sha256);
    const layer = pieceLayer.length > 0 ? pieceLayer : null;
    const hashed = { firstPiece, lengthBytes: file.length, root, layer };
    firstPiece += Math.ceil(file.length / pieceLengthBytes);
    return hashed;
  });
}
