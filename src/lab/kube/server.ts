import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../lib/record.ts';
import { compileSelector } from '../../model/selector.ts';
import { jsonpath } from '../../render/text/jsonpath.ts';
import type { Certificate } from './certificate.ts';
import { discovery } from './discovery.ts';
import { applyFields, merged, ownersAfter, patched, strategicallyMerged } from './fields.ts';
import { columnsOf, KINDS, type Kind, type Place, placeOf } from './kinds.ts';
import { decodeObject } from './protobuf.ts';
import type { Change, ObjectStore, Stored } from './store.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const BOOKMARK_MS = 10_000;

/** The API refuses a request, in the form that clients know (`kind: Status`). */
class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: object = {},
  ) {
    super(message);
  }
}

/** What the API serves besides objects. */
export interface ApiParts {
  store: ObjectStore;
  /** Requests without this bearer token are refused. */
  token: string;
  /** The release of Kubernetes that it plays, such as `1.36.0`. */
  version: string;
  nowMs(): number;
  /** The log of a container of a pod. */
  log(pod: Stored, query: URLSearchParams, response: ServerResponse): void;
  /** Checks an object before it is kept; returns what is wrong with it. */
  refuse(object: Record<string, unknown>): Promise<string | undefined>;
}

/** A small Kubernetes API: the kinds of kinds.ts with lists, watches, server-side apply, patches, dry runs. */
export function kubeServer(parts: ApiParts, { cert, key }: Certificate): Server {
  return createServer({ cert, key }, (request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      send(response, statusOf(refusal), refusal.code);
    });
  });
}

/** Whether a request may be answered at all. */
export function isAllowed(request: IncomingMessage, token: string): boolean {
  return request.headers.authorization === `Bearer ${token}`;
}

async function answer(parts: ApiParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAllowed(request, parts.token)) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
  const url = new URL(request.url ?? '/', 'http://lab');
  const found = discovery(url.pathname, parts.version);
  if (found !== undefined) return send(response, found);
  if (url.pathname.endsWith('/selfsubjectaccessreviews'))
    return send(response, { kind: 'SelfSubjectAccessReview', status: { allowed: true } }, 201);
  const place = placeOf(url.pathname);
  if (!place) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
  if (place.subresource === 'log') return parts.log(existing(parts.store, place), url.searchParams, response);
  if (place.subresource === 'scale') return scale(parts.store, place, request, response);
  if (place.subresource !== undefined && place.subresource !== 'status')
    throw new Refusal(400, 'BadRequest', 'Upgrade request required');
  switch (request.method) {
    case 'GET':
      return read(parts, place, request, url.searchParams, response);
    case 'DELETE':
      return send(response, remove(parts.store, place, url.searchParams, await bodyOf(request)));
    default: {
      const { object, isNew } = await write(parts, place, request, url.searchParams, await bodyOf(request));
      return send(response, object, isNew ? 201 : 200);
    }
  }
}

function send(response: ServerResponse, value: unknown, code = 200): void {
  if (response.headersSent) return void response.end();
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function statusOf({ code, reason, message, details }: Refusal): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    details,
    code,
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'RequestEntityTooLarge', 'Request entity too large');
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  if (/protobuf/.test(request.headers['content-type'] ?? '')) {
    const object = decodeObject(Buffer.concat(chunks));
    if (!object)
      throw new Refusal(
        415,
        'UnsupportedMediaType',
        'the body of the request is of a form or kind that the lab does not read',
      );
    return object;
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'BadRequest', 'the body of the request is not JSON');
  }
}

function existing(store: ObjectStore, { kind, namespace, name = '' }: Place): Stored {
  const found = store.find(kind, namespace, name);
  if (found) return found;
  const group = kind.apiVersion.includes('/') ? `.${kind.apiVersion.split('/')[0]}` : '';
  throw new Refusal(404, 'NotFound', `${kind.plural}${group} "${name}" not found`, {
    name,
    kind: kind.plural,
  });
}

function read(
  { store, nowMs }: ApiParts,
  place: Place,
  request: IncomingMessage,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const watches = query.get('watch') === 'true';
  const isMeant = matcherOf(place, query);
  if (watches) watch(store, place, query, isMeant, response);
  else if (place.name !== undefined) send(response, existing(store, place));
  else {
    const list = listOf(store, place, query, isMeant);
    const asTable = /;as=Table/.test(request.headers.accept ?? '');
    send(response, asTable ? tableOf(list, place.kind, nowMs()) : list);
  }
}

/** A list as the server prints it for kubectl. */
function tableOf({ metadata, items }: ReturnType<typeof listOf>, kind: Kind, nowMs: number): object {
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', priority: 0 },
      ...columns.map(({ name, isWide }) => ({ name, type: 'string', format: '', priority: isWide ? 1 : 0 })),
    ],
    rows: items.map((object) => ({
      cells: [
        object.metadata.name,
        ...columns.map(({ path, isDate, isFirst }) => {
          const text = jsonpath(path, object);
          if (isDate) return ageOf(nowMs - Date.parse(text));
          return isFirst ? (text.split(' ')[0] ?? '') : text;
        }),
      ],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

/** An age as kubectl's tables have it. */
function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.trunc(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.trunc(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.trunc(seconds / 3600)}h` : `${Math.trunc(seconds / 86_400)}d`;
}

/** A list, or one page of it. */
function listOf(
  store: ObjectStore,
  place: Place,
  query: URLSearchParams,
  isMeant: (object: Stored) => boolean,
) {
  const all = store.list(place.kind, place.namespace).filter(isMeant);
  const limit = Number(query.get('limit') ?? 0) || all.length;
  const begin = Number(query.get('continue') ?? 0);
  const end = begin + limit;
  const remaining = Math.max(0, all.length - end);
  return {
    kind: `${place.kind.kind}List`,
    apiVersion: place.kind.apiVersion,
    metadata: {
      resourceVersion: String(store.version),
      ...(remaining > 0 && { continue: String(end), remainingItemCount: remaining }),
    },
    items: all.slice(begin, end),
  };
}

/** The objects that a request selects. */
function matcherOf({ name }: Place, query: URLSearchParams): (object: Stored) => boolean {
  const labels = compileSelector(query.get('labelSelector') ?? '');
  if (!labels)
    throw new Refusal(400, 'BadRequest', `unable to parse requirement: ${query.get('labelSelector')}`);
  const fields = (query.get('fieldSelector') ?? '')
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, path = '', not = '', value = ''] = /^([\w.]+)(!?)={1,2}(.*)$/.exec(term) ?? [];
      return { names: path.split('.'), isNot: not === '!', value };
    });
  return (object) =>
    (name === undefined || object.metadata.name === name) &&
    labels(Object.entries(object.metadata.labels ?? {}).map(([key, value]) => `k8s:${key}=${value}`)) &&
    fields.every(({ names, isNot, value }) => (fieldOf(object, names) === value) !== isNot);
}

function fieldOf(object: unknown, names: readonly string[]): string {
  const value = names.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), object);
  return value === undefined || value === null ? '' : String(value);
}

/** Tells changes as they come, and now and then how far it is. */
function watch(
  store: ObjectStore,
  { kind, namespace }: Place,
  query: URLSearchParams,
  isMeant: (object: Stored) => boolean,
  response: ServerResponse,
): void {
  const since = query.get('resourceVersion') ?? '';
  const missed = since === '' || since === '0' ? [] : store.since(Number(since));
  if (!missed) throw new Refusal(410, 'Expired', `too old resource version: ${since} (${store.version})`);
  response.writeHead(200, { 'content-type': 'application/json' });
  // So that who watches knows at once that it is watched.
  response.flushHeaders();
  const tell = (type: string, object: object) => void response.write(`${JSON.stringify({ type, object })}\n`);
  const meant = ({ type, kind: of, object }: Change) => {
    if (of !== kind || (namespace !== undefined && object.metadata.namespace !== namespace)) return;
    if (isMeant(object)) tell(type, object);
  };
  if (since === '' || since === '0')
    for (const object of store.list(kind, namespace).filter(isMeant)) tell('ADDED', object);
  for (const change of missed) meant(change);
  const stop = store.watch(meant);
  const bookmark = () =>
    tell('BOOKMARK', {
      kind: kind.kind,
      apiVersion: kind.apiVersion,
      metadata: { resourceVersion: String(store.version) },
    });
  const timer = setInterval(bookmark, BOOKMARK_MS);
  const end = Number(query.get('timeoutSeconds') ?? 0);
  const limit = end > 0 ? setTimeout(() => response.end(), end * 1000) : undefined;
  response.on('close', () => {
    stop();
    clearInterval(timer);
    clearTimeout(limit);
  });
}

function remove(store: ObjectStore, place: Place, query: URLSearchParams, options: unknown): object {
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
      throw new Refusal(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${place.kind.plural} "${place.name}": the object has been modified`,
      );
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

async function write(
  { store, refuse }: ApiParts,
  place: Place,
  request: IncomingMessage,
  query: URLSearchParams,
  body: unknown,
): Promise<{ object: object; isNew: boolean }> {
  const { kind, namespace } = place;
  const manager = query.get('fieldManager') ?? 'unknown';
  const type = (request.headers['content-type'] ?? '').replace(/;.*/, '');
  const name =
    place.name ?? (isRecord(body) && isRecord(body.metadata) ? String(body.metadata.name ?? '') : '');
  const before = store.find(kind, namespace, name);
  const owners = before ? store.ownersOf(kind, before) : new Map<string, string>();
  let after: Record<string, unknown>;
  let by = owners;
  if (request.method === 'PATCH' && type === 'application/apply-patch+yaml') {
    const applied = applyFields(before, owners, recordIn(body), manager, query.get('force') === 'true');
    if ('conflicts' in applied) throw conflict(applied.conflicts);
    after = applied.object;
    by = applied.owners;
  } else {
    if (request.method === 'POST' && before)
      throw new Refusal(409, 'AlreadyExists', `${kind.plural} "${name}" already exists`);
    if (request.method !== 'POST') existing(store, { ...place, name });
    const changed =
      request.method !== 'PATCH'
        ? recordIn(body)
        : type === 'application/json-patch+json'
          ? patched(before ?? {}, body)
          : type === 'application/strategic-merge-patch+json'
            ? recordIn(strategicallyMerged(before, body))
            : recordIn(merged(before, body));
    if (!changed)
      throw new Refusal(422, 'Invalid', 'the server rejected our request due to an error in our request');
    after = changed;
    by = ownersAfter(before, after, owners, manager);
  }
  const metadata = {
    ...(isRecord(after.metadata) ? after.metadata : {}),
    name,
    ...(namespace !== undefined && { namespace }),
  };
  const version = isRecord(body) && isRecord(body.metadata) ? body.metadata.resourceVersion : undefined;
  if (version !== undefined && before && version !== before.metadata.resourceVersion)
    throw new Refusal(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${kind.plural} "${name}": the object has been modified`,
    );
  const object: Record<string, unknown> = {
    ...after,
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata,
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

/** How many pods a workload is to have, and has. */
async function scale(
  store: ObjectStore,
  place: Place,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let object = existing(store, place);
  if (request.method === 'PUT' || request.method === 'PATCH') {
    const body = await bodyOf(request);
    const { replicas } = Object(isRecord(body) ? body.spec : undefined) as { replicas?: unknown };
    if (typeof replicas !== 'number') throw new Refusal(400, 'BadRequest', 'spec.replicas is no number');
    object = store.put(place.kind, { ...object, spec: { ...Object(object.spec), replicas } });
  }
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const { replicas = 1 } = Object(object.spec) as { replicas?: number };
  send(response, {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: Object(object.status).replicas ?? 0 },
  });
}

function recordIn(body: unknown): Record<string, unknown> {
  if (isRecord(body)) return body;
  throw new Refusal(400, 'BadRequest', 'the body of the request is no object');
}

function conflict(conflicts: readonly { field: string; manager: string }[]): Refusal {
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
