import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { listOf, OBJECT } from './forms.ts';

/** What a list may be narrowed to. */
export interface ListQuery {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Of each object nothing but its metadata is needed. */
  namesOnly?: boolean;
  /** The objects are handed on as they are: of them nothing is read. */
  asTheyAre?: boolean;
  /** Objects per request, fewer than usual where each is large. */
  limit?: number;
}

/** A part of a list. */
export interface Page<T> {
  items: T[];
  /** Of the list, not of its items. */
  apiVersion: string;
  kind: string;
  /** True when the list began anew, since the server no longer knew the state it was of: what came before is void. */
  restarted: boolean;
  /** State of the cluster that the list shows. */
  resourceVersion: string;
  /** How many items follow, as far as the server says. */
  remaining: number | undefined;
}

interface ObjectList<T> {
  apiVersion?: string;
  kind?: string;
  metadata?: { continue?: string; resourceVersion?: string; remainingItemCount?: number };
  items?: T[] | null;
}

/** Objects per request, as kubectl asks for them. */
export const PAGE = 500;
/** A server that does not know this form answers with the whole objects. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
export const GONE = 410;

/** A list page by page. A consumer starts over when a page says that it restarted. Throws as `KubeClient.json` does. */
export async function* pages<T extends KubeObject>(
  client: KubeClient,
  path: string,
  query: ListQuery = {},
): AsyncGenerator<Page<T>> {
  const { limit = PAGE, namesOnly = false, asTheyAre = false, ...selectors } = query;
  const form = listOf(asTheyAre ? { fields: {} } : OBJECT);
  const accept = namesOnly ? METADATA_ONLY : undefined;
  let next: string | undefined;
  let restarted = false;
  do {
    let list: ObjectList<T>;
    try {
      list = await client.json<ObjectList<T>>({
        path,
        form,
        accept,
        query: { ...selectors, limit, continue: next },
      });
    } catch (error) {
      // The list took longer than the server keeps its state: once more from the beginning, and only once.
      if (!(error instanceof KubeRefusal && error.code === GONE && next !== undefined && !restarted))
        throw error;
      next = undefined;
      restarted = true;
      list = await client.json<ObjectList<T>>({ path, form, accept, query: { ...selectors, limit } });
      yield page(list, true);
      next = list.metadata?.continue || undefined;
      continue;
    }
    yield page(list, false);
    const after = list.metadata?.continue || undefined;
    if (after !== undefined && after === next)
      throw new UserError(`list ${path}: the server sends the same page again and again`);
    next = after;
  } while (next !== undefined);
}

function page<T>({ items, metadata, apiVersion, kind }: ObjectList<T>, restarted: boolean): Page<T> {
  return {
    items: items ?? [],
    apiVersion: apiVersion ?? '',
    kind: kind ?? '',
    restarted,
    resourceVersion: metadata?.resourceVersion ?? '',
    remaining: metadata?.remainingItemCount,
  };
}

/** Told of each page of a list but the last: how many are kept so far, and how many follow as far as the server says. */
export type OnPage = (kept: number, remaining: number | undefined) => Promise<void>;

/** A list, each object reduced to what is kept of it as it arrives. */
export async function listAll<T extends KubeObject, K>(
  client: KubeClient,
  path: string,
  query: ListQuery,
  keep: (object: T) => K | undefined,
  onPage?: OnPage,
): Promise<K[]> {
  let kept: K[] = [];
  for await (const { items, restarted, remaining } of pages<T>(client, path, query)) {
    if (restarted) kept = [];
    for (const item of items) {
      const value = keep(item);
      if (value !== undefined) kept.push(value);
    }
    if (remaining) await onPage?.(kept.length, remaining);
  }
  return kept;
}
