import type { ServerResponse } from 'node:http';
import { compileObjectSelector } from '../../cluster/api-request.ts';
import { jsonpath } from '../../render/text/jsonpath.ts';
import { columnsOf, type Kind, type Place } from './kinds.ts';
import { existing, Refusal } from './refusal.ts';
import type { Change, ObjectStore, Stored } from './store.ts';

const BOOKMARK_MS = 10_000;

/** What `GET` answers: an object, or a list of those that are selected, as a table where one is asked for. */
export function read(
  store: ObjectStore,
  place: Place,
  query: URLSearchParams,
  accept: string,
  nowMs: number,
): object {
  if (place.name !== undefined) return existing(store, place);
  const list = listOf(store, place, query, matcherOf(place, query));
  return /;as=Table/.test(accept) ? tableOf(list, place.kind, nowMs) : list;
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

/** Which objects a request selects. Throws Refusal where its text is no selector. */
export function matcherOf({ name }: Place, query: URLSearchParams): (object: Stored) => boolean {
  const labelSelector = query.get('labelSelector') ?? '';
  const isMeant = compileObjectSelector(labelSelector, query.get('fieldSelector') ?? '');
  if (!isMeant) throw new Refusal(400, 'BadRequest', `unable to parse requirement: ${labelSelector}`);
  return (object) => (name === undefined || object.metadata.name === name) && isMeant(object);
}

/** Tells changes as they come, and now and then how far it is. */
export function watch(
  store: ObjectStore,
  place: Place,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const isMeant = matcherOf(place, query);
  const { kind, namespace } = place;
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
