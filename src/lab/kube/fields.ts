import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../lib/record.ts';

/** Who set which field: a field's path (its names, joined by a NUL) to the manager. Lists are one field. */
export type Owners = Map<string, string>;

/** A field that somebody else has set to another value. */
export interface Conflict {
  /** As the API server writes it: `.data.debug`. */
  field: string;
  manager: string;
}

const JOINT = '\u0000';
/** Set by the server, or the name of the object itself. */
const NOT_OWNED = /^(?:apiVersion|kind|metadata\u0000(?!labels\u0000|annotations\u0000).*)$/;

function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0;
}

/** The fields of an object with their values, each by its path. */
function leaves(value: unknown, path: string[] = []): [string, unknown][] {
  if (!isRecord(value) || (path.length > 0 && isEmpty(value))) return [[path.join(JOINT), value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

/**
 * Server-side apply of a manager's fields onto an object: the new object and who owns what, or the fields that stand
 * against it. What the manager set before and sets no longer goes, unless somebody else set it as well.
 */
export function applyFields(
  current: Record<string, unknown> | undefined,
  owners: Owners,
  applied: Record<string, unknown>,
  manager: string,
  force: boolean,
): { object: Record<string, unknown>; owners: Owners } | { conflicts: Conflict[] } {
  const object = structuredClone(current ?? {});
  const next: Owners = new Map(owners);
  const given = new Map(leaves(applied).filter(([path]) => !NOT_OWNED.test(path)));
  const conflicts: Conflict[] = [];
  for (const [path, value] of given) {
    const names = path.split(JOINT);
    const owner = next.get(path);
    const old = valueAt(object, names);
    // A map without entries takes none away from one that is there.
    if (isEmpty(value) && isRecord(old)) {
      if (owner === undefined) next.set(path, manager);
      continue;
    }
    if (owner !== undefined && owner !== manager && !isDeepStrictEqual(old, value)) {
      if (!force) {
        conflicts.push({ field: names.map((name) => `.${name}`).join(''), manager: owner });
        continue;
      }
    }
    setAt(object, names, value);
    if (owner === undefined || owner === manager || force) next.set(path, manager);
  }
  if (conflicts.length > 0) return { conflicts };
  for (const [path, owner] of owners)
    if (owner === manager && !given.has(path)) {
      const names = path.split(JOINT);
      const old = valueAt(object, names);
      // A map stays with the entries that others have put into it.
      if (!isRecord(old) || isEmpty(old)) removeAt(object, names);
      next.delete(path);
    }
  const { metadata } = applied;
  return {
    object: {
      ...object,
      apiVersion: applied.apiVersion,
      kind: applied.kind,
      metadata: {
        ...(isRecord(metadata) ? metadata : {}),
        ...(isRecord(object.metadata) ? object.metadata : {}),
      },
    },
    owners: next,
  };
}

/** The owners after a manager wrote a whole object, or a patch of it: all that has changed is its own. */
export function ownersAfter(
  before: Record<string, unknown> | undefined,
  after: Record<string, unknown>,
  owners: Owners,
  manager: string,
): Owners {
  const old = new Map(before ? leaves(before) : []);
  const now = leaves(after).filter(([path]) => !NOT_OWNED.test(path) && !path.startsWith('status'));
  return new Map(
    now.map(([path, value]) => [
      path,
      isDeepStrictEqual(old.get(path), value) ? (owners.get(path) ?? manager) : manager,
    ]),
  );
}

/** `managedFields` of an object. */
export function ownedFields(apiVersion: string, owners: Owners): unknown[] {
  const managers = new Map<string, Record<string, unknown>>();
  for (const [path, manager] of owners) {
    let at = managers.get(manager) ?? {};
    managers.set(manager, at);
    for (const name of path.split(JOINT)) {
      const inner = at[`f:${name}`];
      const next: Record<string, unknown> = isRecord(inner) ? inner : {};
      at[`f:${name}`] = next;
      at = next;
    }
  }
  return [...managers].map(([manager, fieldsV1]) => ({
    manager,
    operation: 'Apply',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1,
  }));
}

function valueAt(object: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (at, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    object,
  );
}

function setAt(object: Record<string, unknown>, names: readonly string[], value: unknown): void {
  let at = object;
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(at, name) ? at[name] : undefined;
    const next: Record<string, unknown> = isRecord(inner) ? inner : {};
    define(at, name, next);
    at = next;
  }
  define(at, names.at(-1) ?? '', value);
}

/** `__proto__` is a name like any other. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function removeAt(object: Record<string, unknown>, names: readonly string[]): void {
  const parent = valueAt(object, names.slice(0, -1));
  if (isRecord(parent)) delete parent[names.at(-1) ?? ''];
}

/** A merge patch (RFC 7386). */
export function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch))
    if (value === null) delete result[name];
    else define(result, name, merged(Object.hasOwn(result, name) ? result[name] : undefined, value));
  return result;
}

/** By which field entries of a list are told apart in a strategic merge patch. */
const KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  ports: 'containerPort',
  conditions: 'type',
  taints: 'key',
  ownerReferences: 'uid',
};

/** A strategic merge patch: as a merge patch, but lists of known fields are merged entry by entry. */
export function strategicallyMerged(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) {
    const key = patch.every((entry) => isRecord(entry) && Object.hasOwn(entry, 'port'))
      ? 'port'
      : KEYS[field];
    if (key === undefined || !Array.isArray(target)) return patch;
    const result: unknown[] = [...target];
    for (const entry of patch) {
      const at = result.findIndex((one) => isRecord(one) && isRecord(entry) && one[key] === entry[key]);
      if (isRecord(entry) && entry.$patch === 'delete') {
        if (at >= 0) result.splice(at, 1);
      } else if (at < 0) result.push(entry);
      else result[at] = strategicallyMerged(result[at], entry);
    }
    return result;
  }
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    // What tells the order of a list, which entries that are found by name do not need.
    if (name.startsWith('$')) continue;
    if (value === null) delete result[name];
    else {
      const old = Object.hasOwn(result, name) ? result[name] : undefined;
      define(result, name, strategicallyMerged(old, value, name));
    }
  }
  return result;
}

/** A JSON patch (RFC 6902) of adds, removes, replacements and tests within objects; undefined where it does not fit. */
export function patched(
  target: Record<string, unknown>,
  patch: unknown,
): Record<string, unknown> | undefined {
  if (!Array.isArray(patch)) return undefined;
  const result = structuredClone(target);
  for (const step of patch) {
    if (!isRecord(step) || typeof step.path !== 'string') return undefined;
    const names = step.path
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const value = valueAt(result, names);
    if (step.op === 'test' ? !isDeepStrictEqual(value, step.value) : step.op !== 'add' && value === undefined)
      return undefined;
    if (step.op === 'remove') removeAt(result, names);
    else if (step.op === 'add' || step.op === 'replace') setAt(result, names, step.value);
    else if (step.op !== 'test') return undefined;
  }
  return result;
}
