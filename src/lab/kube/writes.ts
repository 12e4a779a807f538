import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../lib/record.ts';
import {
  applyFields,
  type Conflict,
  merged,
  type Owners,
  ownersAfter,
  patched,
  strategicallyMerged,
} from './fields.ts';
import { KINDS, type Kind, type Place } from './kinds.ts';
import { matcherOf } from './reads.ts';
import { existing, Refusal } from './refusal.ts';
import type { ObjectStore, Stored } from './store.ts';

/** Removes an object, or all that are selected. `options` is the body of the request. */
export function remove(store: ObjectStore, place: Place, query: URLSearchParams, options: unknown): object {
  const { dryRun, preconditions } = isRecord(options) ? options : {};
  // Of a request with a body the query does not count.
  const isDry = isRecord(options) ? Array.isArray(dryRun) && dryRun.length > 0 : query.has('dryRun');
  if (place.name !== undefined) {
    const object = existing(store, place);
    const { uid, resourceVersion } = isRecord(preconditions) ? preconditions : {};
    if (
      (uid !== undefined && uid !== object.metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion)
    )
      throw modified(place.kind, place.name);
    if (!isDry) removeWhole(store, place.kind, object);
    return { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { name: place.name } };
  }
  const gone = store.list(place.kind, place.namespace).filter(matcherOf(place, query));
  if (!isDry) for (const object of gone) store.remove(place.kind, object);
  return { kind: `${place.kind.kind}List`, apiVersion: place.kind.apiVersion, items: gone };
}

/** Removes an object; a namespace is gone when nothing is left in it. */
function removeWhole(store: ObjectStore, kind: Kind, object: Stored): void {
  if (kind.kind === 'Namespace')
    for (const one of KINDS.filter(({ namespaced }) => namespaced))
      for (const within of store.list(one, object.metadata.name)) store.remove(one, within);
  store.remove(kind, object);
}

/** A request that changes an object. */
export interface WriteRequest {
  method: string | undefined;
  /** Of the body, without its parameters. */
  type: string;
  query: URLSearchParams;
  body: unknown;
}

const APPLY = 'application/apply-patch+yaml';

/** Makes, replaces or changes an object. `refuse` checks it before it is kept. */
export async function write(
  store: ObjectStore,
  place: Place,
  request: WriteRequest,
  refuse: (object: Record<string, unknown>) => Promise<string | undefined>,
): Promise<{ object: object; isNew: boolean }> {
  const { kind, namespace } = place;
  const { method, type, query, body } = request;
  const given = isRecord(body) && isRecord(body.metadata) ? body.metadata : {};
  const name = place.name ?? String(given.name ?? '');
  const before = store.find(kind, namespace, name);
  if (method === 'POST' && before)
    throw new Refusal(409, 'AlreadyExists', `${kind.plural} "${name}" already exists`);
  if (method !== 'POST' && type !== APPLY) existing(store, { ...place, name });
  const owners = before ? store.ownersOf(kind, before) : new Map<string, string>();
  const { object: after, owners: by } = changed(before, owners, request);
  if (
    before &&
    given.resourceVersion !== undefined &&
    given.resourceVersion !== before.metadata.resourceVersion
  )
    throw modified(kind, name);
  const object: Record<string, unknown> = {
    ...after,
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      ...(isRecord(after.metadata) ? after.metadata : {}),
      name,
      ...(namespace !== undefined && { namespace }),
    },
  };
  const fault = await refuse(object);
  if (fault !== undefined)
    throw new Refusal(422, 'Invalid', `${kind.kind}.${kind.apiVersion} "${name}" is invalid: ${fault}`);
  if (query.has('dryRun')) return { object: { ...before, ...object }, isNew: !before };
  const stored = store.put(kind, object, by);
  if (object.status !== undefined && !isDeepStrictEqual(object.status, before?.status))
    store.told.add(stored.metadata.uid);
  return { object: stored, isNew: !before };
}

/** What a request makes of an object, and who owns which of its fields then. */
function changed(
  before: Stored | undefined,
  owners: Owners,
  { method, type, query, body }: WriteRequest,
): { object: Record<string, unknown>; owners: Owners } {
  const manager = query.get('fieldManager') ?? 'unknown';
  if (type === APPLY) {
    const applied = applyFields(before, owners, recordIn(body), manager, query.get('force') === 'true');
    if ('conflicts' in applied) throw conflict(applied.conflicts);
    return applied;
  }
  const object = method === 'PATCH' ? patchedAs(type, before, body) : recordIn(body);
  if (!object)
    throw new Refusal(422, 'Invalid', 'the server rejected our request due to an error in our request');
  return { object, owners: ownersAfter(before, object, owners, manager) };
}

function patchedAs(
  type: string,
  before: Stored | undefined,
  body: unknown,
): Record<string, unknown> | undefined {
  switch (type) {
    case 'application/json-patch+json':
      return patched(before ?? {}, body);
    case 'application/strategic-merge-patch+json':
      return recordIn(strategicallyMerged(before, body));
    default:
      return recordIn(merged(before, body));
  }
}

/** How many pods a workload is to have, and has; a body changes the first. */
export function scale(store: ObjectStore, place: Place, method: string | undefined, body: unknown): object {
  let object = existing(store, place);
  if (method === 'PUT' || method === 'PATCH') {
    const { replicas } = Object(isRecord(body) ? body.spec : undefined) as { replicas?: unknown };
    if (typeof replicas !== 'number') throw new Refusal(400, 'BadRequest', 'spec.replicas is no number');
    object = store.put(place.kind, { ...object, spec: { ...Object(object.spec), replicas } });
  }
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const { replicas = 1 } = Object(object.spec) as { replicas?: number };
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: Object(object.status).replicas ?? 0 },
  };
}

function modified(kind: Kind, name: string): Refusal {
  return new Refusal(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kind.plural} "${name}": the object has been modified`,
  );
}

function recordIn(body: unknown): Record<string, unknown> {
  if (isRecord(body)) return body;
  throw new Refusal(400, 'BadRequest', 'the body of the request is no object');
}

function conflict(conflicts: readonly Conflict[]): Refusal {
  const causes = conflicts.map(({ field, manager }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${manager}"`,
    field,
  }));
  const [first] = conflicts;
  const told =
    conflicts.length === 1
      ? `conflict with "${first?.manager}": ${first?.field}`
      : `conflicts with ${conflicts.map(({ field, manager }) => `"${manager}": ${field}`).join(', ')}`;
  return new Refusal(
    409,
    'Conflict',
    `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}: ${told}`,
    {
      causes,
    },
  );
}
