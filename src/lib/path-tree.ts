/** What the paths lead to next, by name. */
export type PathTree = ReadonlyMap<string, PathNode>;

/** One step of the paths that share it. */
export interface PathNode {
  /** Position of the path that ends here among the paths; -1 where none ends. */
  readonly index: number;
  readonly children: PathTree;
}

/** Folds dotted paths into a tree, so that what they lead into is walked once. */
export function pathTree(paths: readonly string[]): PathTree {
  const root = new Map<string, Growing>();
  for (const [index, path] of paths.entries()) {
    let node: Growing = { index: -1, children: root };
    for (const name of path.split('.')) {
      const known = node.children.get(name);
      const next = known ?? { index: -1, children: new Map() };
      if (!known) node.children.set(name, next);
      node = next;
    }
    if (node.index === -1) node.index = index;
  }
  return root;
}

interface Growing {
  index: number;
  readonly children: Map<string, Growing>;
}
