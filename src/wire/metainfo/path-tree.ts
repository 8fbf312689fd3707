/** A tree of path elements: linear in the torrent's size however deep a stranger nests them. */

/** A name in the tree. */
export interface PathNode {
  readonly children: Map<string, PathNode>;
  /** Whether something must stand below it. */
  isDirectory: boolean;
  /** Index of the file that lives here, or null. */
  file: number | null;
}

const HAS_UPPER = /[A-Z]/;
const UPPER = /[A-Z]+/g;

/** An empty tree. */
export function pathTree(): PathNode {
  return { children: new Map(), isDirectory: false, file: null };
}

/** The node at `path`, made when missing, with directories above it. */
export function growPath(root: PathNode, path: readonly string[]): PathNode {
  let node = root;
  for (const element of path) {
    let child = node.children.get(element);
    if (child === undefined) {
      child = pathTree();
      node.children.set(element, child);
    }
    node.isDirectory = true;
    node = child;
  }
  return node;
}

/** The directory at `path`, made when missing. */
export function growDirectory(root: PathNode, path: readonly string[]): PathNode {
  const node = growPath(root, path);
  node.isDirectory = true;
  return node;
}

/** The node at `path`, if something stands there. */
export function nodeAt(root: PathNode, path: readonly string[]): PathNode | undefined {
  let node: PathNode | undefined = root;
  for (const element of path) node = node?.children.get(element);
  return node;
}

/** Lower case for ASCII only: the comparison libtorrent makes. */
export function foldCase(element: string): string {
  return HAS_UPPER.test(element) ? element.replace(UPPER, (run) => run.toLowerCase()) : element;
}
