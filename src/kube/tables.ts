import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { TABLE } from './forms.ts';
import { GONE, type ListQuery, listAll, type OnPage, PAGE } from './pages.ts';

/** A kind of objects that is listed. */
export interface ListedKind {
  /** `v1`, or `group/version`. */
  apiVersion: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

/** A list as the API server prints it: the columns of the kind's own definition. */
export interface PrintedList {
  columns: { name: string; isWide: boolean }[];
  rows: { namespace: string; name: string; cells: unknown[] }[];
}

interface TablePart {
  kind?: string;
  columnDefinitions?: { name?: string; priority?: number }[] | null;
  rows?: { cells?: unknown; object?: KubeObject }[] | null;
  metadata?: { continue?: string; remainingItemCount?: number };
}

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

function pathOf({ apiVersion, plural, namespaced }: ListedKind, namespace: string | undefined): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${plural}`;
}

/** Lists a kind as kubectl shows it. Throws UserError where the cluster does not know the kind. */
export function printedList(
  client: KubeClient,
  kind: ListedKind,
  namespace: string | undefined,
  query: ListQuery,
  onPage?: OnPage,
): Promise<PrintedList> {
  return served(kind, (version) => printedOf(client, version, namespace, query, onPage));
}

async function printedOf(
  client: KubeClient,
  kind: ListedKind,
  namespace: string | undefined,
  query: ListQuery,
  onPage?: OnPage,
): Promise<PrintedList> {
  const list: PrintedList = { columns: [], rows: [] };
  let next: string | undefined;
  let restarted = false;
  const ask = () =>
    client.json<TablePart>({
      path: pathOf(kind, namespace),
      query: { ...query, limit: PAGE, continue: next },
      accept: AS_TABLE,
      form: TABLE,
    });
  do {
    const part = await ask().catch((error: unknown) => {
      // The list took longer than the server keeps its state: once more from the beginning, and only once.
      if (!(error instanceof KubeRefusal && error.code === GONE && next !== undefined && !restarted))
        throw error;
      [next, restarted, list.rows] = [undefined, true, []];
      return ask();
    });
    if (part.kind !== 'Table')
      throw new UserError(
        `the API server does not print ${kind.plural} as a table: it answered ${part.kind}`,
      );
    // Later pages need not repeat the columns.
    if (list.columns.length === 0)
      list.columns = (part.columnDefinitions ?? []).map(({ name = '', priority = 0 }) => ({
        name,
        isWide: priority > 0,
      }));
    for (const { cells, object } of part.rows ?? [])
      list.rows.push({
        namespace: object?.metadata?.namespace ?? '',
        name: object?.metadata?.name ?? '',
        cells: Array.isArray(cells) ? cells : [],
      });
    const after = part.metadata?.continue || undefined;
    if (after !== undefined && after === next)
      throw new UserError(`list ${kind.plural}: the server sends the same page again and again`);
    const { remainingItemCount: left } = part.metadata ?? {};
    if (after !== undefined) await onPage?.(list.rows.length, left);
    next = after;
  } while (next !== undefined);
  return list;
}

/** Lists the objects of a kind, without the record of who set which field, each reduced to what is kept of it as it arrives. */
export function listObjects<K>(
  client: KubeClient,
  kind: ListedKind,
  namespace: string | undefined,
  query: ListQuery,
  keep: (object: KubeObject) => K,
  onPage?: OnPage,
): Promise<K[]> {
  return served(kind, (version) => {
    const kept = (object: KubeObject) => {
      const { managedFields: _, ...metadata } = object.metadata ?? {};
      return keep({ apiVersion: version.apiVersion, kind: kind.kind, ...object, metadata });
    };
    return listAll<KubeObject, K>(client, pathOf(version, namespace), query, kept, onPage);
  });
}

/** The other version that releases of Cilium have kinds in: each begins in the second and moves to the first. */
const OTHER_VERSION: Readonly<Record<string, string>> = {
  'cilium.io/v2': 'cilium.io/v2alpha1',
  'cilium.io/v2alpha1': 'cilium.io/v2',
};

/** Asks for a kind in its version, and where the cluster does not have that, in the other. */
async function served<T>(kind: ListedKind, ask: (kind: ListedKind) => Promise<T>): Promise<T> {
  try {
    return await ask(kind);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const apiVersion = OTHER_VERSION[kind.apiVersion];
    try {
      if (apiVersion !== undefined) return await ask({ ...kind, apiVersion });
    } catch (second) {
      if (!isMissing(second)) throw second;
    }
    throw new UserError(`the cluster has no ${kind.plural} (${kind.apiVersion})`, {
      hint: 'Is Cilium installed there, in a release that has this kind?',
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof KubeRefusal && error.code === 404;
}
