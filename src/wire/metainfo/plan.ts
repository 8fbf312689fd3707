/** A torrent to be made: its files in order and in place, before anything is hashed. */
import type { Bytes } from '../../units/index.ts';
import { encodeUtf8 } from '../bencode/utf8.ts';
import { FileList } from './file-list.ts';
import { PIECES_MAX } from './info-dict.ts';
import type { MetainfoFile } from './metainfo.ts';
import { sanitizeElement } from './path-element.ts';
import { foldCase, growPath, pathTree } from './path-tree.ts';
import { refuseMetainfo } from './problem.ts';

/** What every libtorrent reads: newer ones refuse pieces from 32,768 blocks on. */
const PIECE_LENGTH_BYTES_MADE_MAX = 256 * 1024 * 1024;

/** Which swarms a torrent can join: `hybrid` joins both. */
export type TorrentVersion = 'v1' | 'v2' | 'hybrid';

/** A file as it lies on disk. */
export interface SourceFile {
  /** Under the torrent's directory; empty when the torrent is this one file. */
  readonly path: readonly string[];
  readonly lengthBytes: Bytes;
  readonly isExecutable?: boolean;
}

/** What to make a torrent of. */
export interface PlanOptions {
  /** The torrent's directory, or its one file. */
  readonly name: string;
  readonly files: readonly SourceFile[];
  /** A power of two from 16 KiB; see `choosePieceLength`. */
  readonly pieceLengthBytes: number;
  readonly version: TorrentVersion;
}

/**
 * The piece space to hash: the same files, offsets and pads that readers of the torrent will see.
 */
export interface TorrentPlan {
  readonly version: TorrentVersion;
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  readonly totalBytes: Bytes;
  readonly files: readonly MetainfoFile[];
}

/**
 * Orders files and aligns them. v1 keeps the order given; v2 and hybrid sort by name as the file
 * tree does, and begin each file on a piece, padding those before it.
 *
 * @throws WireError WIRE_METAINFO for what no reader would accept: no bytes, a name that cannot
 *   stand, two files of one name, a piece length that is no power of two, too many pieces
 */
export function planTorrent(options: PlanOptions): TorrentPlan {
  const { name, version, pieceLengthBytes } = options;
  checkPieceLength(pieceLengthBytes);
  const list = new FileList();
  for (const file of orderFiles(options)) {
    list.add({
      path: [name, ...file.path],
      lengthBytes: file.lengthBytes,
      isPad: false,
      isExecutable: file.isExecutable ?? false,
      isHidden: false,
      symlinkTarget: null,
      piecesRoot: null,
    });
    const padDirectory = file.path.length === 0 ? [] : [name];
    if (version !== 'v1' && file.lengthBytes > 0) list.padToPiece(pieceLengthBytes, padDirectory);
  }
  if (version === 'hybrid') list.removeTailPad();
  checkNames(list.files);
  const { totalBytes, files } = list;
  if (totalBytes === 0) refuseMetainfo('its files have no bytes');
  const pieceCount = Math.ceil(totalBytes / pieceLengthBytes);
  if (pieceCount > PIECES_MAX)
    refuseMetainfo(`it would have ${pieceCount} pieces: use longer ones`);
  return { version, name, pieceLengthBytes, pieceCount, totalBytes, files };
}

function orderFiles({ files, version }: PlanOptions): readonly SourceFile[] {
  const isSingle = files.some((file) => file.path.length === 0);
  if (isSingle && files.length > 1) refuseMetainfo('a file has no path beside others that have');
  if (version === 'v2' && files.length === 1 && files[0]?.path.length === 1) {
    // Readers cannot tell this tree from that of a single file, and drop the directory.
    refuseMetainfo('a v2 torrent cannot hold a directory of one file: make it of the file itself');
  }
  return version === 'v1' ? files : [...files].sort((a, b) => comparePaths(a.path, b.path));
}

/** The order of a file tree: element by element, as raw bytes. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compareBytes(encodeUtf8(a[at] ?? ''), encodeUtf8(b[at] ?? ''));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = (a[at] ?? 0) - (b[at] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function checkPieceLength(length: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(length));
  if (!isPowerOfTwo || length < 16384 || length > PIECE_LENGTH_BYTES_MADE_MAX) {
    refuseMetainfo(`piece length ${length} is not a power of two from 16 KiB to 256 MiB`);
  }
}

/** Names must survive the reader's sanitising unchanged, or the reader looks for other files. */
function checkNames(files: readonly MetainfoFile[]): void {
  const root = pathTree();
  const named = files.filter((file) => !file.isPad);
  const nodes = named.map((file) => growPath(root, file.path.map(foldCase)));
  for (const [index, file] of named.entries()) {
    const odd = file.path.find((name) => sanitizeElement(encodeUtf8(name)) !== name);
    if (odd !== undefined) {
      refuseMetainfo(`the name '${odd}' cannot stand in a torrent: rename the file`);
    }
    const node = nodes[index];
    if (node === undefined || node.file !== null || node.isDirectory) {
      refuseMetainfo(`'${file.path.join('/')}' is there twice but for the case of its letters`);
    }
    node.file = index;
  }
}
