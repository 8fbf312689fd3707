/** Where the bytes of a torrent are in truth: in their files, or in the part file. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { PlatformError } from '../platform-error.ts';
import { diskFailure } from './disk-failure.ts';
import type { FileLayout, FileSegment } from './file-layout.ts';
import { PartFile } from './part-file.ts';

/**
 * A file is absent when it is not wanted and not on disk. Pieces that touch an absent file are
 * kept whole in the part file; when the file is wanted, it gets its bytes from there.
 */
export class Placement {
  readonly layout: FileLayout;
  readonly totalBytes: number;
  /** Told when the part file has been deleted. */
  onPartsGone: (path: string) => void = () => {};
  readonly #pieceLengthBytes: number;
  readonly #parts: PartFile | null;
  readonly #absent = new Set<string>();

  /** Everything is in its file at first. Throws `PlatformError` for an unreadable part file. */
  constructor(layout: FileLayout, pieceLengthBytes: number) {
    this.layout = layout;
    this.totalBytes = layout.totalBytes;
    this.#pieceLengthBytes = pieceLengthBytes;
    const pieceCount = Math.ceil(layout.totalBytes / pieceLengthBytes);
    const { partsPath } = layout;
    this.#parts =
      partsPath === null ? null : new PartFile(partsPath, { pieceCount, pieceLengthBytes });
  }

  /** Whether the part file holds any piece. */
  get hasParts(): boolean {
    return (this.#parts?.pieces.length ?? 0) > 0;
  }

  /**
   * Says which files are wanted; padding is not counted. What is wanted gets its bytes from the
   * part file; what is not wanted but on disk stays there and is used. Throws `PlatformError`.
   */
  select(isWanted: (file: number) => boolean): void {
    if (!this.#parts) return;
    const files = this.layout.files.filter((file) => !file.isPad);
    for (const [nth, file] of files.entries()) {
      const path = this.layout.pathOf(file);
      if (isWanted(nth)) this.#absent.delete(path);
      else if (!this.#absent.has(path) && !fs.existsSync(path)) this.#absent.add(path);
    }
    for (const piece of this.#parts.pieces) {
      const trouble = this.#attempt((parts) => this.#bringHome(parts, piece));
      if (trouble) throw trouble;
    }
  }

  /** Where to read `[offset, offset + length)`. What is nowhere has the path of its file. */
  segments(offset: number, length: number): FileSegment[] {
    const segments = this.layout.segments(offset, length);
    if (this.#absent.size === 0) return segments;
    return segments.flatMap((segment) =>
      this.#isAbsent(segment) ? this.#inParts(segment, offset) : [segment],
    );
  }

  /** Where to write a piece. When that is done, with or without success, `settle` it. */
  segmentsToWrite(piece: number, length: number): FileSegment[] {
    const segments = this.layout.segments(piece * this.#pieceLengthBytes, length);
    if (this.#absent.size === 0 || !this.#parts) return segments;
    const present = segments.filter((segment) => !this.#isAbsent(segment));
    if (present.length === segments.length) return segments;
    const position = this.#parts.reserve(piece);
    return [...present, { path: this.#parts.path, position, start: 0, length }];
  }

  /** A piece was written. Returns what went wrong with the part file. */
  settle(piece: number, isWritten: boolean): Error | null {
    if (!this.#parts || this.#parts.isEmpty) return null;
    return this.#attempt((parts) => {
      parts.record(piece, isWritten);
      // A file may have become wanted meanwhile.
      this.#bringHome(parts, piece);
    });
  }

  #attempt(action: (parts: PartFile) => void): PlatformError | null {
    if (!this.#parts) return null;
    try {
      action(this.#parts);
      return null;
    } catch (failure) {
      if (failure instanceof PlatformError) return failure;
      return diskFailure(failure as NodeJS.ErrnoException, this.#parts.path);
    }
  }

  #isAbsent({ path }: FileSegment): boolean {
    return path !== null && this.#absent.has(path);
  }

  /** A stretch of an absent file that begins at `offset` + `start`, cut at the ends of pieces. */
  #inParts({ path, position, start, length }: FileSegment, offset: number): FileSegment[] {
    const found: FileSegment[] = [];
    for (let done = 0; done < length; ) {
      const at = offset + start + done;
      const piece = Math.floor(at / this.#pieceLengthBytes);
      const within = at - piece * this.#pieceLengthBytes;
      const taken = Math.min(length - done, this.#pieceLengthBytes - within);
      const slotAt = this.#parts?.positionOf(piece) ?? null;
      const place =
        slotAt === null || !this.#parts
          ? { path, position: position + done }
          : { path: this.#parts.path, position: slotAt + within };
      found.push({ ...place, start: start + done, length: taken });
      done += taken;
    }
    return found;
  }

  /**
   * Copies what the part file has of a piece into the files that are not absent, unless it is there
   * already, and forgets the piece when no absent file needs it.
   */
  #bringHome(parts: PartFile, piece: number): void {
    const slotAt = parts.positionOf(piece);
    if (slotAt === null) return;
    const offset = piece * this.#pieceLengthBytes;
    const space = Math.min(this.#pieceLengthBytes, this.totalBytes - offset);
    const segments = this.layout.segments(offset, space);
    // A v2 piece ends with its file: the padding behind it is not in the part file.
    while (segments.at(-1)?.path === null) segments.pop();
    const last = segments.at(-1);
    const length = last ? last.start + last.length : 0;
    const present = segments.filter((segment) => !this.#isAbsent(segment));
    const whole = new Uint8Array(length);
    if (present.length > 0 && !readInto(parts.path, whole, slotAt)) return;
    for (const { path, position, start, length: size } of present) {
      if (path !== null) fill(path, whole.subarray(start, start + size), position);
    }
    if (present.length === segments.length && parts.drop(piece)) this.onPartsGone(parts.path);
  }
}

/** Writes `bytes` at `position` unless they are there. Throws `PlatformError`. */
function fill(path: string, bytes: Uint8Array, position: number): void {
  const before = new Uint8Array(bytes.length);
  try {
    if (readInto(path, before, position) && Buffer.compare(before, bytes) === 0) return;
    fs.mkdirSync(dirname(path), { recursive: true });
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
      }
    } finally {
      fs.closeSync(fd);
    }
  } catch (failure) {
    throw diskFailure(failure as NodeJS.ErrnoException, path);
  }
}

/** Fills `into`; false when the file is missing or too short. Throws the system's other errors. */
function readInto(path: string, into: Uint8Array, position: number): boolean {
  if (!fs.existsSync(path)) return false;
  const fd = fs.openSync(path, 'r');
  try {
    let done = 0;
    while (done < into.length) {
      const got = fs.readSync(fd, into, done, into.length - done, position + done);
      if (got === 0) return false;
      done += got;
    }
    return true;
  } finally {
    fs.closeSync(fd);
  }
}
