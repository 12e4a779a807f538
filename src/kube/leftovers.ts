import { compareNatural } from '../lib/order.ts';
import { isRecord } from '../lib/record.ts';
import {
  isCiliumAnnotation,
  isCiliumKind,
  isCiliumTaint,
  isTestNamespace,
  KEPT_SECRETS,
  type LeftCrd,
  type LeftNode,
  type Leftovers,
} from '../model/leftovers.ts';
import { isOfTests } from '../model/test-labels.ts';
import { FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal, wordsOf } from './client.ts';
import { DELETED } from './forms.ts';
import { listAll } from './pages.ts';
import { DEFINITIONS, NAMESPACES, pathIn } from './paths.ts';

interface Definition extends KubeObject {
  spec?: Record<string, unknown>;
}

interface Node extends KubeObject {
  spec?: { taints?: { key?: string }[] };
}

/** Looks for all that Cilium leaves in a cluster. What may not be seen is told, and the rest looked at. */
export async function readLeftovers(client: KubeClient, namespace: string): Promise<Leftovers> {
  const unseen: string[] = [];
  const attempt = async <T>(look: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof KubeRefusal)) throw error;
      unseen.push(wordsOf(error));
      return [];
    }
  };
  const nameOf = ({ metadata }: KubeObject) => metadata?.name;
  const definitions = await attempt(() =>
    listAll<Definition, LeftCrd>(client, DEFINITIONS, { limit: 20 }, definitionOf),
  );
  const crds: LeftCrd[] = [];
  for (const crd of definitions) crds.push(await counted(client, crd, unseen));
  const nodes = await attempt(() =>
    listAll<Node, LeftNode>(client, '/api/v1/nodes', {}, ({ metadata, spec }) => {
      const annotations = Object.keys(metadata?.annotations ?? {}).filter(isCiliumAnnotation);
      const taints = (spec?.taints ?? []).map(({ key = '' }) => key).filter(isCiliumTaint);
      const isTouched = annotations.length + taints.length > 0;
      return isTouched
        ? { name: metadata?.name ?? '', annotations: annotations.toSorted(), taints }
        : undefined;
    }),
  );
  const namespaces = await attempt(() =>
    listAll<KubeObject, { name: string; isOfTests: boolean }>(
      client,
      NAMESPACES,
      { namesOnly: true },
      ({ metadata: { name = '', labels } = {} }) =>
        isTestNamespace(name) ? { name, isOfTests: isOfTests(labels) } : undefined,
    ),
  );
  const secrets = await attempt(() =>
    listAll<KubeObject, string>(client, pathIn(namespace, 'secrets'), { namesOnly: true }, nameOf),
  );
  const named = (made: boolean) =>
    namespaces
      .filter((one) => one.isOfTests === made)
      .map(({ name }) => name)
      .toSorted(compareNatural);
  return {
    crds: crds.toSorted((a, b) => compareNatural(a.name, b.name)),
    nodes: nodes.toSorted((a, b) => compareNatural(a.name, b.name)),
    testNamespaces: named(true),
    namedLikeTests: named(false),
    secrets: secrets.filter((name) => KEPT_SECRETS.has(name)).toSorted(compareNatural),
    unseen: unseen.toSorted(compareNatural),
  };
}

function definitionOf({ metadata, spec = {} }: Definition): LeftCrd | undefined {
  const { group, names, versions } = spec;
  if (typeof group !== 'string' || !isRecord(names) || !isCiliumKind(group, String(names.kind ?? '')))
    return undefined;
  const served = (Array.isArray(versions) ? versions : []).filter(isRecord);
  const version = served.find(({ storage }) => storage === true) ?? served[0];
  return {
    name: metadata?.name ?? '',
    kind: String(names.kind ?? ''),
    path: `/apis/${group}/${String(version?.name ?? '')}/${String(names.plural ?? '')}`,
    objects: undefined,
    held: [],
  };
}

async function counted(client: KubeClient, crd: LeftCrd, unseen: string[]): Promise<LeftCrd> {
  let objects = 0;
  try {
    const held = await listAll<KubeObject, LeftCrd['held'][number]>(
      client,
      crd.path,
      { namesOnly: true },
      ({ metadata = {} }) => {
        objects++;
        const { finalizers = [], namespace, name = '' } = metadata;
        return finalizers.length > 0 ? { namespace, name } : undefined;
      },
    );
    return { ...crd, objects, held };
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    // Without an established version there are none.
    if (error.code === 404) return { ...crd, objects: 0 };
    unseen.push(wordsOf(error));
    return crd;
  }
}

/** Deletes an object or a collection; what is not there is no error. */
export async function deleteAt(client: KubeClient, path: string): Promise<void> {
  try {
    await client.json({ method: 'DELETE', path, form: DELETED });
  } catch (error) {
    if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
  }
}

/** Takes Cilium's annotations off a node. */
export async function removeAnnotations(client: KubeClient, { name, annotations }: LeftNode): Promise<void> {
  await client.json({
    method: 'PATCH',
    path: `/api/v1/nodes/${encodeURIComponent(name)}`,
    query: { fieldManager: FIELD_MANAGER },
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: Object.fromEntries(annotations.map((key) => [key, null])) } },
  });
}

/** Lets the objects of a definition go that wait for somebody who is no longer there. */
export async function releaseHeld(client: KubeClient, { path, held }: LeftCrd): Promise<void> {
  const cut = path.lastIndexOf('/');
  for (const { namespace, name } of held) {
    const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
    try {
      await client.json({
        method: 'PATCH',
        path: `${path.slice(0, cut)}${scope}${path.slice(cut)}/${encodeURIComponent(name)}`,
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/merge-patch+json',
        body: { metadata: { finalizers: null } },
      });
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
    }
  }
}

/** Whether something is there, and on its way out. */
export type Presence = 'there' | 'going' | 'gone';

/** Whether objects of a manifest are still there. Those of unknown kinds are gone. */
export async function presenceOf(
  client: KubeClient,
  objects: readonly { apiVersion: string; kind: string; namespace: string | undefined; name: string }[],
  usualNamespace: string,
): Promise<Presence[]> {
  const resources = new Map<string, { name: string; namespaced?: boolean } | undefined>();
  const found: Presence[] = [];
  for (const { apiVersion, kind, namespace = usualNamespace, name } of objects) {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${apiVersion} ${kind}`;
    if (!resources.has(key)) {
      const listed = await client.find<{
        resources?: { name: string; kind: string; namespaced?: boolean }[];
      }>({
        path: root,
      });
      const own = listed?.resources?.find((one) => one.kind === kind && !one.name.includes('/'));
      resources.set(key, own);
    }
    const resource = resources.get(key);
    if (!resource) {
      found.push('gone');
      continue;
    }
    const scope = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    const object = await client.find<KubeObject>({
      path: `${root}${scope}/${resource.name}/${encodeURIComponent(name)}`,
    });
    found.push(object === undefined ? 'gone' : object.metadata?.deletionTimestamp ? 'going' : 'there');
  }
  return found;
}
