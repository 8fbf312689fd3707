/** Symbolic links may only point at files and directories of their own torrent (BEP 47). */
import type { FileDraft } from './file-list.ts';
import { growPath, nodeAt, type PathNode, pathTree } from './path-tree.ts';

/** Links followed for one target, as Linux does. */
const HOPS_MAX = 40;

/** Path elements looked at for all links of a torrent; what comes after is taken for invalid. */
const STEPS_MAX = 5_000_000;

/**
 * Makes each link's target a path under the download root. A target may be given from the torrent's
 * directory, or as older programs did from the link's own; it may lead through other links. A link
 * to anywhere else becomes a plain empty file.
 */
export function resolveSymlinks(files: readonly FileDraft[], name: string): void {
  if (files.every((file) => file.symlinkTarget === null)) return;
  const root = pathTree();
  for (const [index, file] of files.entries()) growPath(root, file.path).file ??= index;
  const targets = files.map((file) => literalTarget(root, file, name));
  const links: Links = { root, targets, stepsLeft: STEPS_MAX };
  for (const [index, file] of files.entries()) {
    const target = targets[index] ?? null;
    file.symlinkTarget = target !== null && leadsSomewhere(links, index) ? target : null;
  }
}

interface Links {
  readonly root: PathNode;
  /** By index of the file, for those that are links. */
  readonly targets: readonly (readonly string[] | null)[];
  stepsLeft: number;
}

/** The reading of a target that names something as it stands, else the one from the torrent. */
function literalTarget(root: PathNode, file: FileDraft, name: string): readonly string[] | null {
  const given = file.symlinkTarget;
  if (given === null) return null;
  const fromTorrent = [name, ...given];
  const fromLink = [...file.path.slice(0, -1), ...given];
  return !nodeAt(root, fromTorrent) && nodeAt(root, fromLink) ? fromLink : fromTorrent;
}

/** Walks a link's target, replacing each link on the way by its own target. */
function leadsSomewhere(links: Links, link: number): boolean {
  const { root, targets } = links;
  let path = targets[link] ?? [];
  let node = root;
  let hops = 0;
  for (let at = 0; at < path.length; at++) {
    const child = node.children.get(path[at] ?? '');
    if (child === undefined || --links.stepsLeft < 0) return false;
    const file = child.isDirectory ? null : child.file;
    if (file === link) return false;
    const next = file === null ? null : targets[file];
    if (next == null) {
      node = child;
    } else {
      if (++hops > HOPS_MAX) return false;
      path = [...next, ...path.slice(at + 1)];
      links.stepsLeft -= path.length;
      node = root;
      at = -1;
    }
  }
  return true;
}
