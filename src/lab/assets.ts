import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inside } from '../lib/inside.ts';

/**
 * Path of a file that ships beside the code (`schemas/…`, `scenarios/…`): the same from the sources, from the bundle
 * and from an installed package. Where the program is one file it is below that file, for readAsset() alone.
 */
export function assetPath(name: string): string {
  const one = inside();
  if (one) return join(one.file, name);
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'schemas/lab-scenario.json'))) {
    const up = dirname(folder);
    if (up === folder) throw new Error(`the package is incomplete: ${name} is missing`);
    folder = up;
  }
  return join(folder, name);
}

/** Reads a file, also one that ships with the code. Throws as readFileSync does. */
export function readAsset(path: string): Buffer {
  const one = inside();
  return (
    (one && path.startsWith(`${one.file}/`) && one.read(path.slice(one.file.length + 1))) ||
    readFileSync(path)
  );
}

/** Names of the files of a folder that ships with the code. */
export function assetNames(folder: string): string[] {
  const prefix = `${folder}/`;
  return (
    inside()
      ?.names()
      .flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : [])) ??
    readdirSync(assetPath(folder))
  );
}
