/** What the bench's own clients need to know of a single-file v1 torrent. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bdecode } from '../test/support/bencode.ts';

/** The unit of requests. */
export const BLOCK_BYTES = 16_384;

/** A single-file v1 torrent's facts. */
export interface Job {
  readonly infoHash: Uint8Array;
  readonly name: string;
  /** SHA-1 of each piece, 20 bytes each. */
  readonly hashes: Uint8Array;
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly totalBytes: number;
}

/** Reads the torrent file at `path`. */
export function readJob(path: string): Job {
  const source = readFileSync(path);
  const { value, ranges } = bdecode(source);
  const info = value instanceof Map ? value.get('info') : undefined;
  if (!(info instanceof Map)) throw new Error(`${path} has no info dictionary`);
  const name = info.get('name');
  const hashes = info.get('pieces');
  if (!(name instanceof Uint8Array && hashes instanceof Uint8Array)) {
    throw new Error(`${path} is not a v1 torrent`);
  }
  return {
    infoHash: createHash('sha1')
      .update(source.subarray(...(ranges.get('info') ?? [0, 0])))
      .digest(),
    name: Buffer.from(name).toString(),
    hashes,
    pieceCount: hashes.length / 20,
    pieceLengthBytes: Number(info.get('piece length')),
    totalBytes: Number(info.get('length')),
  };
}

/** The length of piece `index`; the last one may be short. */
export function pieceLengthOf(job: Job, index: number): number {
  return Math.min(job.pieceLengthBytes, job.totalBytes - index * job.pieceLengthBytes);
}
