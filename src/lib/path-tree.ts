/** What the paths lead to next, by name. */
export type PathTree = ReadonlyMap<string, PathNode>;

/** One step of the paths that share it. */
export interface PathNode {
  /** Position of the path that ends here among the paths; -1 where none ends. */
  readonly index: number;
  readonly children: PathTree;
}

/** Folds dotted paths into a tree, so that what they lead into is walked once. */
export function pathTree(paths: readonly string[], before = ''): PathTree {
  const names = new Set(
    paths.flatMap((path) => (path.startsWith(before) ? path.slice(before.length).split('.', 1) : [])),
  );
  return new Map(
    [...names].map((name) => {
      const path = before + name;
      return [name, { index: paths.indexOf(path), children: pathTree(paths, `${path}.`) }];
    }),
  );
}
