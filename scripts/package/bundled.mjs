/** The folder of the package that an input of the bundle is of; in front may stand what a plugin calls it. */
const PACKAGE = /^(?:[\w-]+:)?(node_modules\/(?:\S*\/node_modules\/)?(?:@[^/]+\/)?[^/?]+)/;

/** The folders of packages that a bundle took code from, by esbuild's description of it. */
export function bundledPackages(meta) {
  const inputs = Object.values(meta.outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = inputs.map((input) => PACKAGE.exec(input)?.[1]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}
