import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, UserError } from '../../errors.ts';
import { NEWEST_RELEASE, type PinMark, type ReleaseRange, recognisePins } from '../../model/release.ts';
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

/** The releases that may have pinned the maps, by their names and by the sizes of those that a mark asks for. */
export function releasesOfPins(bpfRoot: string): ReleaseRange {
  let names: string[];
  try {
    names = readdirSync(globalsFolder(bpfRoot));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw new KernelError(`open ${globalsFolder(bpfRoot)}`, error);
    names = [];
  }
  const range = recognisePins((mark) => {
    const pattern = new RegExp(`^${mark.pin.replace('{n}', '(?:reserved_)?\\d+')}$`);
    return names.some((name) => pattern.test(name) && hasSizes(globalPath(bpfRoot, name), mark));
  });
  // An agent always has a policy map, that of its host: without one, what is missing tells nothing.
  return names.some((name) => name.startsWith('cilium_policy_')) ? range : { ...range, last: NEWEST_RELEASE };
}

function hasSizes(path: string, { keySize, valueSize }: PinMark): boolean {
  if (keySize === undefined && valueSize === undefined) return true;
  try {
    using map = openMap(path);
    return (
      (keySize === undefined || map.info.keySize === keySize) &&
      (valueSize === undefined || map.info.valueSize === valueSize)
    );
  } catch (error) {
    // Gone meanwhile, or no map: another one tells.
    if (error instanceof KernelError && error.code !== 'EPERM') return false;
    throw error;
  }
}

/** The maps among the pins. */
export function isMap(object: BpfMap | BpfProgram | BpfLink): object is BpfMap {
  return object instanceof BpfMap;
}
