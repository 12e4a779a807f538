/** A field mask as a tree; a node without children means everything below it. */
interface MaskTree {
  [field: string]: MaskTree;
}

/** Returns what keeps only the fields that `paths` name; undefined when they name none. */
export function maskOf(paths: readonly string[]): (<T extends object>(value: T) => T) | undefined {
  if (paths.length === 0) return undefined;
  const tree: MaskTree = {};
  // A short path comes before those that it covers: `source` before `source.identity`.
  for (const path of [...paths].sort((a, b) => a.length - b.length)) add(tree, path.split('.'));
  return <T extends object>(value: T) => pick(value, tree) as T;
}

function add(tree: MaskTree, [part = '', ...rest]: readonly string[]): void {
  const known = tree[part];
  if (known && Object.keys(known).length === 0) return;
  const node = known ?? {};
  tree[part] = node;
  if (rest.length > 0) add(node, rest);
}

function pick(value: object, tree: MaskTree): object {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const below = tree[name];
      if (!below) return [];
      const whole = Object.keys(below).length === 0;
      const deeper = typeof field === 'object' && field !== null && !Array.isArray(field);
      return [[name, whole || !deeper ? field : pick(field, below)]];
    }),
  );
}
