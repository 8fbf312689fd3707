/** Which bytes of a torrent lie in which file. */
import { join } from 'node:path';
import { assert } from '../../units/index.ts';

/** A file of a torrent, as the metainfo describes it. */
export interface LayoutFile {
  /** Sanitised path elements below the download folder. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where it begins in the torrent's byte space. */
  readonly offsetBytes: number;
  /** Padding (BEP 47) is zeros and is not on disk. */
  readonly isPad: boolean;
  /** Path below the download folder that it is a link to; null or left out for a file. */
  readonly symlinkTarget?: readonly string[] | null;
}

/** Part of a file that belongs to a range of the torrent. */
export interface FileSegment {
  /** Absolute path; null for padding. */
  readonly path: string | null;
  /** Offset in the file. */
  readonly position: number;
  /** Offset in the range asked for. */
  readonly start: number;
  readonly length: number;
}

/** Where a torrent of this key, in folder `root`, keeps pieces of files that are not wanted. */
export function partsPathOf(root: string, key: string): string {
  return join(root, `.${key}.parts`);
}

/** The files of one torrent under one folder. */
export class FileLayout {
  readonly root: string;
  readonly files: readonly LayoutFile[];
  readonly totalBytes: number;
  /** Where the bytes of files go that are not wanted; null when all are. */
  readonly partsPath: string | null;

  constructor(root: string, files: readonly LayoutFile[], partsPath: string | null = null) {
    this.root = root;
    this.files = files;
    this.partsPath = partsPath;
    this.totalBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0);
  }

  /** Absolute path of a file. */
  pathOf(file: LayoutFile): string {
    return join(this.root, ...file.path);
  }

  /** The segments of `[offset, offset + length)` in order. */
  segments(offset: number, length: number): FileSegment[] {
    assert(offset >= 0 && offset + length <= this.totalBytes, () => `range ${offset}+${length}`);
    const segments: FileSegment[] = [];
    let at = this.#indexAt(offset);
    let done = 0;
    while (done < length) {
      const file = this.files[at++];
      assert(file, 'the files cover the torrent');
      const position = offset + done - file.offsetBytes;
      const taken = Math.min(length - done, file.lengthBytes - position);
      if (taken <= 0) continue;
      const path = file.isPad ? null : this.pathOf(file);
      segments.push({ path, position, start: done, length: taken });
      done += taken;
    }
    return segments;
  }

  /** The last file that begins at or before `offset` (binary search). */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.files[middle]?.offsetBytes ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    // Empty files share an offset with their successor; step back to the first that holds it.
    while (low > 0 && (this.files[low - 1]?.offsetBytes ?? 0) === this.files[low]?.offsetBytes) {
      low--;
    }
    return low;
  }
}
