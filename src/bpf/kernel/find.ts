import { basename } from 'node:path';
import { UserError } from '../../errors.ts';
import { KernelError } from './errors.ts';
import { BpfMap, openMap, openMapById, openObjects, openPin } from './objects.ts';
import { globalPath, isMissing, pinPaths } from './pins.ts';

/** Longest name that the kernel keeps of a map. */
const KERNEL_NAME = 15;

/** Opens a map by path, id, the name of a pin (the agent's first) or the name of a loaded map. */
export function findMap(bpfRoot: string, text: string): BpfMap {
  if (text.includes('/')) return openMap(text);
  if (/^\d+$/.test(text)) return byId(bpfRoot, Number(text));
  try {
    return openMap(globalPath(bpfRoot, text));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const pins = pathsBelow(bpfRoot).filter((path) => basename(path) === text);
  if (pins.length > 1) throw ambiguous(text, pins);
  if (pins[0] !== undefined) return openMap(pins[0]);
  const ids = loadedNamed(text);
  if (ids.length > 1) throw ambiguous(text, ids);
  if (ids[0] !== undefined) return openMapById(ids[0]);
  throw new UserError(`no map is called "${text}"`, {
    hint: '"cilium bpf maps list" shows the pinned ones; a path or an id is taken as well.',
  });
}

/** By its pin where it has one: the pin's name tells how to decode the map. */
function byId(bpfRoot: string, id: number): BpfMap {
  const loaded = openMapById(id);
  for (const path of pathsBelow(bpfRoot)) {
    try {
      const object = openPin(path);
      if (object instanceof BpfMap && object.info.id === id) {
        loaded[Symbol.dispose]();
        return object;
      }
      object[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }
  return loaded;
}

function ambiguous(name: string, found: readonly (string | number)[]): UserError {
  return new UserError(`${found.length} maps are called "${name}"`, {
    hint: `Name one of: ${found.join(', ')}.`,
  });
}

function pathsBelow(bpfRoot: string): string[] {
  try {
    return [...pinPaths(bpfRoot)];
  } catch {
    // No bpffs, no pins: the map may still be loaded.
    return [];
  }
}

function loadedNamed(name: string): number[] {
  const wanted = name.slice(0, KERNEL_NAME);
  const found: number[] = [];
  for (const { info } of openObjects('map', (id) => openMapById(id)))
    if (info.name === wanted) found.push(info.id);
  return found;
}
