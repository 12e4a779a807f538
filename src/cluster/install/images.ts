import { compareNatural } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import { type ManifestObject, manifestObjects, shownObject } from './manifest.ts';

/** An image, and the containers that run it. */
export interface UsedImage {
  image: string;
  /** `DaemonSet kube-system/cilium (cilium-agent)`. */
  usedBy: string[];
}

/** The images of all containers in a manifest. */
export async function imagesIn(manifest: string): Promise<UsedImage[]> {
  return imagesOf(await manifestObjects(manifest));
}

/** The images of all containers in objects, each once. */
export function imagesOf(objects: readonly ManifestObject[]): UsedImage[] {
  const found = new Map<string, string[]>();
  for (const object of objects)
    for (const [image, container] of containersIn(object.value)) {
      const by = `${shownObject(object)} (${container})`;
      const known = found.get(image) ?? [];
      if (!known.includes(by)) found.set(image, [...known, by]);
    }
  return [...found]
    .map(([image, usedBy]) => ({ image, usedBy }))
    .toSorted((a, b) => compareNatural(a.image, b.image));
}

function* containersIn(value: unknown): Generator<[image: string, container: string]> {
  if (Array.isArray(value)) {
    for (const item of value) yield* containersIn(item);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (/^(?:containers|initContainers|ephemeralContainers)$/.test(key) && Array.isArray(child)) {
      for (const one of child.filter(isRecord))
        if (typeof one.image === 'string' && one.image !== '') yield [one.image, String(one.name ?? '')];
    } else yield* containersIn(child);
  }
}
