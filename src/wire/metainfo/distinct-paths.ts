/** Every file gets a path of its own, so that none overwrites another. */
import type { FileDraft } from './file-list.ts';
import { numberedElement } from './path-element.ts';
import { foldCase, growDirectory, growPath, nodeAt, type PathNode, pathTree } from './path-tree.ts';
import { refuseMetainfo } from './problem.ts';

/** Taken names tried in all before the torrent is an attack (libtorrent's limit). */
const TAKEN_NAMES_TRIED_MAX = 500;

/**
 * Renames files whose path another file or a directory has, whatever the case of its letters:
 * `bar.txt` becomes `bar.1.txt`. Directories win over files, earlier files over later ones. Pad
 * files of one size may share a path. A link to a file that is renamed follows it.
 *
 * @throws WireError WIRE_METAINFO when too many collide
 */
export function makePathsDistinct(files: readonly FileDraft[]): void {
  const root = pathTree();
  const parents = files.map((file) => growDirectory(root, file.path.slice(0, -1).map(foldCase)));
  const linked = linkedFiles(files);
  let tried = 0;
  for (const [index, file] of files.entries()) {
    const parent = parents[index] ?? root;
    const leaf = file.path.at(-1) ?? '_';
    if (isFree(parent, leaf)) {
      growPath(parent, [foldCase(leaf)]).file = index;
      continue;
    }
    if (isSharedPad(files, parent.children.get(foldCase(leaf)), file)) continue;
    let count = 1;
    while (!isFree(parent, numberedElement(leaf, count))) {
      count++;
      if (++tried > TAKEN_NAMES_TRIED_MAX) refuseMetainfo('too many files have the same name');
    }
    const name = numberedElement(leaf, count);
    file.path = [...file.path.slice(0, -1), name];
    growPath(parent, [foldCase(name)]).file = index;
  }
  for (const [link, target] of linked) link.symlinkTarget = target.path;
}

/** Links, each with the file it points to; those to directories are left out. */
function linkedFiles(files: readonly FileDraft[]): readonly (readonly [FileDraft, FileDraft])[] {
  const links = files.filter((file) => file.symlinkTarget !== null);
  if (links.length === 0) return [];
  const root = pathTree();
  for (const [index, file] of files.entries()) growPath(root, file.path).file ??= index;
  return links.flatMap((link) => {
    const node = nodeAt(root, link.symlinkTarget ?? []);
    const target = node === undefined || node.isDirectory ? undefined : files[node.file ?? -1];
    return target === undefined ? [] : [[link, target] as const];
  });
}

function isFree(parent: PathNode, leaf: string): boolean {
  const node = parent.children.get(foldCase(leaf));
  return node === undefined || (node.file === null && !node.isDirectory);
}

function isSharedPad(
  files: readonly FileDraft[],
  taken: PathNode | undefined,
  file: FileDraft,
): boolean {
  const other = taken === undefined || taken.file === null ? undefined : files[taken.file];
  return file.isPad && other?.isPad === true && other.lengthBytes === file.lengthBytes;
}
