import { isDeepStrictEqual } from 'node:util';
import { kindNamed } from '../kinds.ts';
import type { ObjectStore, Stored } from '../store.ts';

/** Objects of a kind, in the form that the reader of the lab expects of them. */
export function listed<T extends Stored>(store: ObjectStore, kind: string, namespace?: string): T[] {
  return store.list(kindNamed(kind), namespace) as T[];
}

/** Puts an object back, if that changes anything: a controller that writes what is there would never end. */
export function keep(store: ObjectStore, before: Stored, after: Record<string, unknown>): void {
  if (!isDeepStrictEqual({ ...before }, { ...after })) store.put(kindNamed(before.kind), after);
}
