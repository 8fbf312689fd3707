/** The files of a v1 info dictionary: `length` alone, or the list `files` (BEP 3). */
import { BencodeDict } from '../bencode/value.ts';
import { FileList, readAttributes, readLength, type UnplacedFile } from './file-list.ts';
import { sanitizeElement } from './path-element.ts';
import { refuseMetainfo } from './problem.ts';

/** How BitComet named pad files before BEP 47. */
const BITCOMET_PAD = '_____padding_file_';

/** The one file of a torrent without a file list. */
export function readSingleFile(info: BencodeDict): FileList {
  const name = info.bytes('name.utf-8') ?? info.bytes('name');
  const element = name === null || name.length === 0 ? null : sanitizeElement(name);
  if (element === null) refuseMetainfo('it has no name');
  const list = new FileList();
  list.add(readFile(info, [element]));
  return list;
}

/** The files of a file list, under the directory `name`. */
export function readFileList(info: BencodeDict, name: string): FileList | null {
  const entries = info.list('files');
  if (entries === null) return null;
  const list = new FileList();
  for (const entry of entries) {
    if (!(entry instanceof BencodeDict))
      refuseMetainfo('an entry of the file list is not a dictionary');
    list.add(readFile(entry, readPath(entry, name)));
  }
  return list;
}

/** The target of a symbolic link, relative to the torrent's directory; null when it has none. */
export function readSymlinkPath(dict: BencodeDict): readonly string[] | null {
  const elements = dict.list('symlink path');
  if (elements === null) return null;
  const path = sanitizeAll(elements);
  return path.length === 0 ? null : path;
}

function readFile(dict: BencodeDict, path: readonly string[]): UnplacedFile {
  const { isSymlink, isPad, isExecutable, isHidden } = readAttributes(dict);
  return {
    path,
    lengthBytes: readLength(dict, isSymlink),
    isPad: isPad || path.some((element) => element.includes(BITCOMET_PAD)),
    isExecutable,
    isHidden,
    symlinkTarget: isSymlink ? readSymlinkPath(dict) : null,
    piecesRoot: null,
  };
}

function readPath(dict: BencodeDict, name: string): readonly string[] {
  const elements = dict.list('path.utf-8') ?? dict.list('path');
  if (elements !== null && elements.length > 0) {
    const path = sanitizeAll(elements);
    return path.length === 0 ? [name, '_'] : [name, ...path];
  }
  const { isPad, isSymlink } = readAttributes(dict);
  if (!isPad) refuseMetainfo('a file has no path');
  return ['.pad', String(readLength(dict, isSymlink))];
}

function sanitizeAll(elements: readonly unknown[]): readonly string[] {
  const path: string[] = [];
  for (const element of elements) {
    if (!(element instanceof Uint8Array)) refuseMetainfo('a path has an element that is no string');
    const name = sanitizeElement(element);
    if (name !== null) path.push(name);
  }
  return path;
}
