/** Files laid end to end in the piece space, while a torrent is read. */
import { type Bytes, bytes } from '../../units/index.ts';
import type { BencodeDict } from '../bencode/value.ts';
import type { MetainfoFile } from './metainfo.ts';
import { refuseMetainfo } from './problem.ts';

/** A file whose path and link may still change. */
export type FileDraft = { -readonly [Key in keyof MetainfoFile]: MetainfoFile[Key] };

/** What is known of a file before it has a place. */
export type UnplacedFile = Omit<FileDraft, 'offsetBytes'>;

/** Largest piece space (libtorrent's `max_file_size`, 2^48 - 1). */
const TOTAL_BYTES_MAX = 2 ** 48 - 1;

/** A file has fewer blocks of 16 KiB than this: libtorrent numbers tree nodes in an int. */
const FILE_BLOCKS_END = 2 ** 30 - 1;

/** The files read so far, and where the next one begins. */
export class FileList {
  readonly files: FileDraft[] = [];
  #totalBytes = 0;

  get totalBytes(): Bytes {
    return bytes(this.#totalBytes);
  }

  /** Places a file after the others. */
  add(file: UnplacedFile): void {
    if (this.#totalBytes + file.lengthBytes > TOTAL_BYTES_MAX) {
      refuseMetainfo('the files are too large together');
    }
    this.files.push({ ...file, offsetBytes: bytes(this.#totalBytes) });
    this.#totalBytes += file.lengthBytes;
  }

  /** Fills the last piece begun with a pad file under `directory` (BEP 47). */
  padToPiece(pieceLengthBytes: number, directory: readonly string[]): void {
    const over = this.#totalBytes % pieceLengthBytes;
    if (over === 0) return;
    const lengthBytes = bytes(pieceLengthBytes - over);
    this.add(padFile([...directory, '.pad', String(lengthBytes)], lengthBytes));
  }

  /** Drops the pad file that ends the piece space, if one does. Empty files stay behind it. */
  removeTailPad(): void {
    const last = this.files.findLastIndex((file) => file.lengthBytes > 0);
    const pad = this.files[last];
    if (pad === undefined || !pad.isPad) return;
    this.files.splice(last, 1);
    this.#totalBytes -= pad.lengthBytes;
    for (const file of this.files.slice(last)) file.offsetBytes = bytes(this.#totalBytes);
  }
}

/** A pad file. */
function padFile(path: readonly string[], lengthBytes: Bytes): UnplacedFile {
  const isPad = true;
  const plain = { isExecutable: false, isHidden: false, symlinkTarget: null, piecesRoot: null };
  return { path, lengthBytes, isPad, ...plain };
}

/** What the letters of `attr` say (BEP 47). */
export interface FileAttributes {
  readonly isPad: boolean;
  readonly isExecutable: boolean;
  readonly isHidden: boolean;
  readonly isSymlink: boolean;
}

/** Reads `attr`; letters we do not know mean nothing. */
export function readAttributes(dict: BencodeDict): FileAttributes {
  const letters = dict.text('attr') ?? '';
  return {
    isPad: letters.includes('p'),
    isExecutable: letters.includes('x'),
    isHidden: letters.includes('h'),
    isSymlink: letters.includes('l'),
  };
}

/** Reads `length`. A symbolic link takes no room whatever it claims. */
export function readLength(dict: BencodeDict, isSymlink: boolean): Bytes {
  if (isSymlink) return bytes(0);
  const length = dict.integer('length');
  if (length === null || length < 0 || Math.floor(length / 16384) >= FILE_BLOCKS_END) {
    refuseMetainfo('a file has no usable length');
  }
  return bytes(length);
}
