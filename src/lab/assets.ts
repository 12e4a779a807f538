import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Path of a file that ships beside the code (`schemas/…`, `scenarios/…`): the same from the sources, from the bundle
 * and from an installed package.
 */
export function assetPath(name: string): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'schemas/lab-scenario.json'))) {
    const up = dirname(folder);
    if (up === folder) throw new Error(`the package is incomplete: ${name} is missing`);
    folder = up;
  }
  return join(folder, name);
}
