import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, UserError } from '../../errors.ts';
import { NEWEST_RELEASE, type Release, recogniseRelease } from '../../model/release.ts';
import { KernelError } from './errors.ts';
import { type BpfLink, BpfMap, type BpfProgram, openMap, openPin } from './objects.ts';

const BPF_FS_MAGIC = 0xcafe4a11;

/** Where the agent pins its maps, below the root of the bpffs. */
export function globalsFolder(bpfRoot: string): string {
  return join(bpfRoot, 'tc/globals');
}

/** Path of a map that the agent pins. */
export function globalPath(bpfRoot: string, name: string): string {
  return join(globalsFolder(bpfRoot), name);
}

/** Fails unless `root` lies on a bpffs: everything pinned there would be missed otherwise. */
function requireBpffs(root: string): void {
  let type: number;
  try {
    type = statfsSync(root).type;
  } catch (error) {
    throw new KernelError(`open ${root}`, error);
  }
  // Node gives the magic as a signed number.
  if (type >>> 0 === BPF_FS_MAGIC) return;
  throw new UserError(`${root} is not a BPF file system`, {
    hint: `Mount one (mount -t bpf bpf ${root}), or name another folder with --bpf-root.`,
  });
}

/** All pins below a folder, depth first in the order of their names. */
export function* pinPaths(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pinPaths(path);
    else yield path;
  }
}

/** A pin that cannot be opened, with the reason. */
export interface BrokenPin {
  path: string;
  error: KernelError;
}

/**
 * Opens everything pinned below `root`, one object at a time: each is closed when the next is asked for. A pin that
 * goes away meanwhile is left out, one that cannot be opened is reported to `onBroken`.
 */
export function* openPins(
  root: string,
  onBroken: (pin: BrokenPin) => void = () => {},
): Generator<{ path: string; object: BpfMap | BpfProgram | BpfLink }> {
  requireBpffs(root);
  for (const path of pinPaths(root)) {
    let object: BpfMap | BpfProgram | BpfLink;
    try {
      object = openPin(path);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      if (error.code === 'EPERM') throw error;
      // bpffs itself keeps a few files that are no pins (maps.debug, progs.debug).
      if (error.code !== 'ENOENT' && !path.endsWith('.debug')) onBroken({ path, error });
      continue;
    }
    try {
      yield { path, object };
    } finally {
      object[Symbol.dispose]();
    }
  }
}

/** Opens a map of the agent by name; undefined when there is no such pin. */
export function openGlobal(
  bpfRoot: string,
  name: string,
  options: { write?: boolean } = {},
): BpfMap | undefined {
  try {
    return openMap(globalPath(bpfRoot, name), options);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether opening failed because there is no such pin. */
export function isMissing(error: unknown): boolean {
  return error instanceof KernelError && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** The release of the agent that pinned the maps, by their names: for layouts of the same size. */
export function releaseOfPins(bpfRoot: string): Release {
  let names: string[];
  try {
    names = readdirSync(globalsFolder(bpfRoot));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return NEWEST_RELEASE;
    throw new KernelError(`open ${globalsFolder(bpfRoot)}`, error);
  }
  return recogniseRelease('pins', (name) => names.includes(name));
}

/** The maps among the pins. */
export function isMap(object: BpfMap | BpfProgram | BpfLink): object is BpfMap {
  return object instanceof BpfMap;
}
