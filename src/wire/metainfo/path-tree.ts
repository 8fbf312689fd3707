/** A tree of path elements: linear in the torrent's size however deep a stranger nests them. */

/** A name in the tree: a directory when it has children, a file when it has an index. */
export interface PathNode {
  readonly children: Map<string, PathNode>;
  /** Index of the file that lives here, or null. */
  file: number | null;
}

const HAS_UPPER = /[A-Z]/;
const UPPER = /[A-Z]+/g;

/** An empty tree. */
export function pathTree(): PathNode {
  return { children: new Map(), file: null };
}

/** The node at `path`, made with everything above it when missing. */
export function growPath(root: PathNode, path: readonly string[]): PathNode {
  let node = root;
  for (const element of path) {
    let child = node.children.get(element);
    if (child === undefined) {
      child = pathTree();
      node.children.set(element, child);
    }
    node = child;
  }
  return node;
}

/** Whether something other than a file must stand at this node. */
export function isDirectory(node: PathNode): boolean {
  return node.children.size > 0;
}

/** Lower case for ASCII only: the comparison libtorrent makes. */
export function foldCase(element: string): string {
  return HAS_UPPER.test(element) ? element.replace(UPPER, (run) => run.toLowerCase()) : element;
}
