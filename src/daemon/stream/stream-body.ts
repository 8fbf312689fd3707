/** The bytes of an answer: each piece is read from the disk once it is there. */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ByteRange } from './byte-range.ts';
import type { PieceDesk } from './piece-desk.ts';
import { ReadAhead } from './read-ahead.ts';
import type { StreamedFile } from './streamed-torrent.ts';

/** Read at a time: large enough for the disk, small beside the memory of many readers. */
const CHUNK_BYTES = 256 * 1024;

/** What to send. */
export interface BodyRequest {
  readonly file: StreamedFile;
  /** Not empty. */
  readonly range: ByteRange;
  readonly pieceLengthBytes: number;
}

/**
 * The range as a stream that reads no faster than it is read. Destroying it, because the client
 * went away or seeks, gives up at once what is waited for.
 */
export function streamBody(desk: PieceDesk, request: BodyRequest): Readable {
  const reader = new RangeReader(desk, request);
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read(): void {
      reader.next().then(
        (chunk) => this.push(chunk),
        (failure: Error) => this.destroy(failure),
      );
    },
    destroy(failure, done): void {
      reader.close().then(
        () => done(failure),
        () => done(failure),
      );
    },
  });
}

/** Reads one range from its start to its end. */
class RangeReader {
  readonly #request: BodyRequest;
  readonly #ahead: ReadAhead;
  #at: number;
  #handle: FileHandle | null = null;
  #isClosed = false;

  constructor(desk: PieceDesk, request: BodyRequest) {
    const { file, range, pieceLengthBytes } = request;
    this.#request = request;
    this.#at = range.start;
    const lastPiece = Math.floor((file.offsetBytes + range.end - 1) / pieceLengthBytes);
    this.#ahead = new ReadAhead(desk, { pieceLengthBytes, lastPiece });
  }

  /** The next chunk, once its piece is on disk; null after the last one. */
  async next(): Promise<Uint8Array | null> {
    const { file, range, pieceLengthBytes } = this.#request;
    if (this.#at >= range.end) return null;
    const piece = Math.floor((file.offsetBytes + this.#at) / pieceLengthBytes);
    await this.#ahead.reach(piece);
    const pieceEnd = (piece + 1) * pieceLengthBytes - file.offsetBytes;
    const length = Math.min(CHUNK_BYTES, Math.min(range.end, pieceEnd) - this.#at);
    const chunk = await this.#read(length);
    this.#at += chunk.length;
    return chunk;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ahead.stop();
    await this.#handle?.close();
  }

  async #read(length: number): Promise<Uint8Array> {
    const handle = await this.#open();
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await handle.read(chunk, 0, length, this.#at);
    if (bytesRead === 0) throw new Error(`the file ends early, at byte ${this.#at}`);
    return chunk.subarray(0, bytesRead);
  }
  /** Opens the file, which may not be there before its first piece is. */
  async #open(): Promise<FileHandle> {
    if (this.#handle) return this.#handle;
    const handle = await open(this.#request.file.absolutePath, 'r');
    this.#handle = handle;
    // The client went away meanwhile: reading then fails, and nobody is there to be told.
    if (this.#isClosed) await handle.close();
    return handle;
  }
}
