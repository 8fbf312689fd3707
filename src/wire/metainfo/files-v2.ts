/** The files of a v2 info dictionary: the tree `file tree` (BEP 52). */
import { BencodeDict, type BencodeValue } from '../bencode/value.ts';
import { FileList, readAttributes, readLength, type UnplacedFile } from './file-list.ts';
import { readSymlinkPath } from './files-v1.ts';
import { sanitizeElement } from './path-element.ts';
import { refuseMetainfo } from './problem.ts';

const ROOT_BYTES = 32;

const SLASH = 0x2f;

/** The name of a file at the top of which nothing may stand, until v1 was compared. */
export const NAMELESS = '';

/** What reading a tree needs to know of the rest of the info dictionary. */
export interface TreeContext {
  /** The torrent's name, the directory of a torrent with several files. */
  readonly name: string;
  readonly pieceLengthBytes: number;
  /** Whether a v1 file list stands beside the tree: then even a single file is in a directory. */
  readonly hasFileList: boolean;
}

/**
 * The files of a tree in its order. Each begins on a piece boundary: pad files are put after
 * those that end inside a piece, the last one included.
 *
 * Recursion is bounded by the decoder's depth.
 */
export function readFileTree(tree: BencodeDict, context: TreeContext): FileList {
  const list = new FileList();
  const isSingle = !context.hasFileList && tree.size === 1 && [...tree.entries()].every(isLeaf);
  readDirectory(tree, isSingle ? [] : [context.name], {
    add(file) {
      list.add(file);
      if (file.lengthBytes > 0) {
        list.padToPiece(context.pieceLengthBytes, isSingle ? [] : [context.name]);
      }
    },
  });
  return list;
}

interface FileSink {
  add(file: UnplacedFile): void;
}

function readDirectory(tree: BencodeDict, directory: readonly string[], sink: FileSink): void {
  for (const entry of tree.entries()) {
    const [key, node] = entry;
    if (!(node instanceof BencodeDict) || key === '') {
      refuseMetainfo('the file tree has an entry that is neither file nor directory');
    }
    const element = sanitizeElement(keyElement(key));
    if (isLeaf(entry)) {
      if (element === null && directory.length === 0) refuseMetainfo('its one file has no name');
      const isNameless = element === null && directory.length === 1;
      sink.add(readLeaf(node.get(''), pathOf(directory, isNameless ? NAMELESS : element)));
    } else {
      readDirectory(node, pathOf(directory, element), sink);
    }
  }
}

/** A name of which nothing may stand leaves the directory's: what a v1 list makes of it, too. */
function pathOf(directory: readonly string[], element: string | null): readonly string[] {
  return element === null ? directory : [...directory, element];
}

/** A file is a directory with one nameless entry. */
function isLeaf([, node]: [string, BencodeValue]): boolean {
  return node instanceof BencodeDict && node.size === 1 && node.has('');
}

function readLeaf(leaf: BencodeValue | undefined, path: readonly string[]): UnplacedFile {
  if (!(leaf instanceof BencodeDict)) refuseMetainfo('a file of the tree is not a dictionary');
  const { isPad, isSymlink, isExecutable, isHidden } = readAttributes(leaf);
  if (isPad) refuseMetainfo('the file tree has a pad file');
  const lengthBytes = readLength(leaf, isSymlink);
  const symlinkTarget = isSymlink ? readSymlinkPath(leaf) : null;
  const piecesRoot = lengthBytes > 0 ? readRoot(leaf) : null;
  return { path, lengthBytes, isPad, isExecutable, isHidden, symlinkTarget, piecesRoot };
}

function readRoot(leaf: BencodeDict): Uint8Array {
  const root = leaf.bytes('pieces root');
  if (root === null || root.length !== ROOT_BYTES || root.every((byte) => byte === 0)) {
    refuseMetainfo('a file has no usable pieces root');
  }
  return root;
}

/** The bytes of a key without leading slashes: `//` is then empty and becomes `_`. */
function keyElement(key: string): Uint8Array {
  const view = Uint8Array.from(key, (character) => character.charCodeAt(0));
  const first = view.findIndex((byte) => byte !== SLASH);
  return first < 0 ? new Uint8Array(0) : view.subarray(first);
}
