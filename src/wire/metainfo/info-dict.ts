/** The info dictionary: what the info-hash names, from a .torrent file or from peers (BEP 9). */
import { equalBytes, toHex } from '../../units/index.ts';
import { type BencodeLimits, decodeBencodeDict } from '../bencode/decode.ts';
import { decodeUtf8 } from '../bencode/utf8.ts';
import { type BencodeDict, type BencodeValue, isBencodeList } from '../bencode/value.ts';
import { makePathsDistinct } from './distinct-paths.ts';
import type { FileList } from './file-list.ts';
import { readFileList, readSingleFile } from './files-v1.ts';
import { NAMELESS, readFileTree } from './files-v2.ts';
import { isSameLayout } from './hybrid.ts';
import type { Digests, InfoDict } from './metainfo.ts';
import { sanitizeElement } from './path-element.ts';
import { refuseMetainfo } from './problem.ts';
import { resolveSymlinks } from './symlinks.ts';

/** Longest piece read: half of a signed 32-bit integer, as libtorrent 2.0.8 has it. */
export const PIECE_LENGTH_BYTES_MAX: number = 2 ** 30 - 1;

/** Pieces of one torrent: libtorrent's `max_pieces`. */
export const PIECES_MAX: number = 0x200000;

const BLOCK = 16384;
const SHA1_BYTES = 20;

/**
 * Reads the bytes of an info dictionary on their own, as `ut_metadata` delivers them. Check the
 * info-hash of the result against the one asked for. Borrows `view`.
 *
 * @throws WireError WIRE_BENCODE, WIRE_METAINFO
 */
export function parseInfoDict(
  view: Uint8Array,
  digests: Digests,
  limits: BencodeLimits = {},
): InfoDict {
  return readInfoDict(decodeBencodeDict(view, limits), view, digests);
}

/** Reads a decoded info dictionary; `infoBytes` are exactly the bytes it was decoded from. */
export function readInfoDict(info: BencodeDict, infoBytes: Uint8Array, digests: Digests): InfoDict {
  const version = readVersion(info);
  const pieceLengthBytes = readPieceLength(info, version);
  const sha1 = digests.sha1(infoBytes);
  const name = readName(info, sha1);
  const { list, hasV1 } = readFiles(info, { version, name, pieceLengthBytes });
  const totalBytes = list.totalBytes;
  const pieceCount = Math.ceil(totalBytes / pieceLengthBytes);
  if (pieceCount > PIECES_MAX) refuseMetainfo(`it has ${pieceCount} pieces`);
  const pieceHashesV1 = readPieceHashes(info, pieceCount, version);
  if (totalBytes === 0) refuseMetainfo('its files have no bytes');
  const [first] = list.files;
  const isSingle = first?.path.length === 1;
  makePathsDistinct(list.files);
  return {
    infoHashV1: hasV1 ? sha1 : null,
    infoHashV2: version >= 2 ? digests.sha256(infoBytes) : null,
    infoBytes,
    name: isSingle ? (first?.path[0] ?? name) : name,
    pieceLengthBytes,
    pieceCount,
    totalBytes,
    pieceHashesV1: hasV1 ? pieceHashesV1 : null,
    files: list.files,
    isPrivate: isTruthy(info.get('private')),
    ...readRelated(info),
  };
}

/** Info-hashes and groups of related torrents, inside or outside the info dictionary (BEP 38). */
export function readRelated(dict: BencodeDict): Pick<InfoDict, 'similar' | 'collections'> {
  const similar = (dict.list('similar') ?? [])
    .filter((hash) => hash instanceof Uint8Array)
    .filter((hash) => hash.length === SHA1_BYTES);
  const collections = (dict.list('collections') ?? [])
    .filter((group) => group instanceof Uint8Array)
    .map(decodeUtf8);
  return { similar, collections };
}

/** Any integer but zero, however large. */
function isTruthy(value: BencodeValue | undefined): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && value !== 0);
}

function readVersion(info: BencodeDict): number {
  const version = info.integer('meta version') ?? -1;
  if (version > 0 && !info.span.isCanonical) {
    refuseMetainfo('its info dictionary is not canonical bencode');
  }
  if (version > 2) refuseMetainfo(`its version is ${version}, newer than we know`);
  return version;
}

function readPieceLength(info: BencodeDict, version: number): number {
  const length = info.integer('piece length');
  if (length === null || length <= 0 || length > PIECE_LENGTH_BYTES_MAX) {
    refuseMetainfo('it has no usable piece length');
  }
  if (version === 2 && (length < BLOCK || !Number.isInteger(Math.log2(length)))) {
    refuseMetainfo(`its piece length ${length} is not a power of two from 16 KiB`);
  }
  return length;
}

function readName(info: BencodeDict, sha1: Uint8Array): string {
  const name = info.bytes('name.utf-8') ?? info.bytes('name');
  if (name === null) refuseMetainfo('it has no name');
  return sanitizeElement(name) ?? toHex(sha1);
}

interface FilesContext {
  readonly version: number;
  readonly name: string;
  readonly pieceLengthBytes: number;
}

interface FilesFound {
  readonly list: FileList;
  /** Whether the torrent can be shared as v1. */
  readonly hasV1: boolean;
}

function readFiles(info: BencodeDict, context: FilesContext): FilesFound {
  const { version, name, pieceLengthBytes } = context;
  const hasFileList = isBencodeList(info.get('files'));
  const tree = info.dict('file tree');
  if (version < 2) {
    if (tree !== null) refuseMetainfo('it has a file tree but no meta version');
    return { list: finishList(readV1(info, name), name), hasV1: true };
  }
  if (tree === null) refuseMetainfo('it has no file tree');
  const list = readFileTree(tree, { name, pieceLengthBytes, hasFileList });
  const hasV1 = hasFileList || info.has('length');
  if (!hasV1) return { list: finishList(list, name), hasV1 };
  const v1 = readV1(info, name);
  if (v1.files.length > 0) {
    if (list.files.length === v1.files.length + 1) list.removeTailPad();
    if (!isSameLayout(list, v1)) refuseMetainfo('its v1 and v2 files differ');
  }
  return { list: finishList(list, name), hasV1 };
}

function readV1(info: BencodeDict, name: string): FileList {
  return readFileList(info, name) ?? readSingleFile(info);
}

function finishList(list: FileList, name: string): FileList {
  if (list.files.length === 0) refuseMetainfo('it has no files');
  for (const file of list.files) if (file.path.at(-1) === NAMELESS) file.path = [name, '_'];
  resolveSymlinks(list.files, name);
  return list;
}

function readPieceHashes(
  info: BencodeDict,
  pieceCount: number,
  version: number,
): Uint8Array | null {
  const pieces = info.bytes('pieces');
  if (pieces === null) {
    if (version < 2) refuseMetainfo('it has no piece hashes');
    return null;
  }
  if (pieces.length !== pieceCount * SHA1_BYTES) {
    refuseMetainfo(`it has ${pieces.length} bytes of piece hashes for ${pieceCount} pieces`);
  }
  return pieces;
}

/**
 * Whether the info dictionary is the one that `hash` names: 32 bytes are of v2, 20 of v1 or the
 * beginning of v2, as the network shortens it (BEP 52).
 */
export function isNamedBy(info: InfoDict, hash: Uint8Array): boolean {
  const { infoHashV1, infoHashV2 } = info;
  if (infoHashV2 && equalBytes(infoHashV2.subarray(0, hash.length), hash)) {
    return hash.length >= SHA1_BYTES;
  }
  return infoHashV1 !== null && equalBytes(infoHashV1, hash);
}
