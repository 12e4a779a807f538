import { compareBytes } from '../../lib/order.ts';
import { type Owners, ownedFields } from './fields.ts';
import type { Kind } from './kinds.ts';

/** An object as the store keeps it. */
export interface Stored {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: unknown[];
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** A change, as a watch tells it. */
export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  kind: Kind;
  object: Stored;
  version: number;
}

/** Changes that are remembered: a watch from before them must list anew. */
const REMEMBERED = 1000;

/** The objects of a cluster, in memory, with one count of versions over all of them. */
export class ObjectStore {
  #version = 1;
  #made = 0;
  readonly #objects = new Map<string, { kind: Kind; object: Stored; owners: Owners }>();
  readonly #changes: Change[] = [];
  readonly #watchers = new Set<(change: Change) => void>();
  /** Objects whose status a client has written: no controller knows better. */
  readonly told = new Set<string>();

  constructor(private readonly nowMs: () => number) {}

  /** The version that the last change made. */
  get version(): number {
    return this.#version;
  }

  find(kind: Kind, namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(keyOf(kind, namespace, name))?.object;
  }

  /** Who set which field of an object. */
  ownersOf(kind: Kind, { metadata }: Stored): Owners {
    return this.#objects.get(keyOf(kind, metadata.namespace, metadata.name))?.owners ?? new Map();
  }

  /** Objects of a kind by namespace and name. */
  list(kind: Kind, namespace?: string): Stored[] {
    return [...this.#objects.values()]
      .filter(
        (one) =>
          one.kind === kind && (namespace === undefined || one.object.metadata.namespace === namespace),
      )
      .map(({ object }) => object)
      .toSorted((a, b) => compareBytes(placeIn(a), placeIn(b)));
  }

  /** Keeps an object, new or changed. What only the server writes is filled in; `owners` absent keeps who set what. */
  put(kind: Kind, given: Record<string, unknown>, owners?: Owners): Stored {
    const { metadata = {}, ...rest } = given as { metadata?: Partial<Stored['metadata']> };
    const key = keyOf(kind, metadata.namespace, metadata.name ?? '');
    const before = this.#objects.get(key);
    const known = owners ?? before?.owners ?? new Map();
    const sameSpec = before && JSON.stringify(before.object.spec) === JSON.stringify(given.spec);
    const version = ++this.#version;
    const object: Stored = {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      ...rest,
      metadata: {
        ...metadata,
        name: metadata.name ?? '',
        uid: before?.object.metadata.uid ?? this.#uid(),
        resourceVersion: String(version),
        generation: (before?.object.metadata.generation ?? 0) + (sameSpec ? 0 : 1),
        creationTimestamp:
          before?.object.metadata.creationTimestamp ??
          new Date(this.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
        ...(known.size > 0 && { managedFields: ownedFields(kind.apiVersion, known) }),
      },
    };
    this.#objects.set(key, { kind, object, owners: known });
    this.#tell({ type: before ? 'MODIFIED' : 'ADDED', kind, object, version });
    return object;
  }

  remove(kind: Kind, object: Stored): void {
    if (!this.#objects.delete(keyOf(kind, object.metadata.namespace, object.metadata.name))) return;
    const version = ++this.#version;
    const gone = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#tell({ type: 'DELETED', kind, object: gone, version });
  }

  /** Changes after a version; undefined when they are not all remembered. */
  since(version: number): Change[] | undefined {
    const [first] = this.#changes;
    if (version < this.#version && (!first || first.version > version + 1)) return undefined;
    return this.#changes.filter((change) => change.version > version);
  }

  /** Calls the watcher for every change from now on; returns how to stop it. */
  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #tell(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > REMEMBERED) this.#changes.shift();
    for (const watcher of this.#watchers) watcher(change);
  }

  #uid(): string {
    return `00000000-0000-4000-8000-${String(++this.#made).padStart(12, '0')}`;
  }
}

function keyOf(kind: Kind, namespace: string | undefined, name: string): string {
  return `${kind.apiVersion}/${kind.plural}/${kind.namespaced ? (namespace ?? '') : ''}/${name}`;
}

function placeIn({ metadata }: Stored): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
