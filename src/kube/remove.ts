import { FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { DELETED } from './forms.ts';
import { listAll } from './pages.ts';
import type { ListedKind } from './tables.ts';

/** Kinds of policies that are shown and removed. */
export const POLICY_KINDS: readonly ListedKind[] = [
  {
    apiVersion: 'cilium.io/v2',
    plural: 'ciliumnetworkpolicies',
    kind: 'CiliumNetworkPolicy',
    namespaced: true,
  },
  {
    apiVersion: 'cilium.io/v2',
    plural: 'ciliumclusterwidenetworkpolicies',
    kind: 'CiliumClusterwideNetworkPolicy',
    namespaced: false,
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
  },
];

/** A policy object of the cluster, and where it is. */
export interface FoundPolicy {
  /** `kind namespace/name`. */
  name: string;
  kind: string;
  path: string;
  object: KubeObject;
  /** It was applied by this program, whoever has changed it since. */
  isOwn: boolean;
}

interface Managed {
  manager?: string;
  operation?: string;
}

/** All policies with these labels, of every kind that is asked for and that the cluster has; of one namespace or of all. */
export async function findPolicies(
  client: KubeClient,
  labelSelector: string | undefined,
  {
    kinds = POLICY_KINDS,
    namespace: of,
  }: { kinds?: readonly ListedKind[]; namespace?: string | undefined } = {},
): Promise<FoundPolicy[]> {
  const found: FoundPolicy[] = [];
  for (const { apiVersion, plural, kind, namespaced } of kinds) {
    const within = namespaced && of !== undefined ? `/namespaces/${encodeURIComponent(of)}` : '';
    try {
      found.push(
        ...(await listAll<KubeObject, FoundPolicy>(
          client,
          `/apis/${apiVersion}${within}/${plural}`,
          { labelSelector },
          (item) => {
            const { name = '', namespace, managedFields = [], ...metadata } = item.metadata ?? {};
            const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
            const shown = namespace === undefined ? name : `${namespace}/${name}`;
            return {
              name: `${kind} ${shown}`,
              kind,
              path: `/apis/${apiVersion}${scope}/${plural}/${encodeURIComponent(name)}`,
              object: {
                apiVersion,
                kind,
                ...item,
                metadata: { name, ...(namespace !== undefined && { namespace }), ...metadata },
              },
              isOwn: (managedFields as Managed[]).some(
                ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
              ),
            };
          },
        )),
      );
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
    }
  }
  return found;
}

/**
 * Deletes an object as it was found: one that has changed since stays, with the server's refusal. One that is gone is
 * no error.
 */
export async function removeObject(
  client: KubeClient,
  { path, object }: FoundPolicy,
  { dryRun }: { dryRun: boolean },
): Promise<void> {
  const { uid, resourceVersion } = object.metadata ?? {};
  try {
    await client.json({
      method: 'DELETE',
      path,
      form: DELETED,
      // With a body the server does not look at the query.
      body: {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        preconditions: { uid, resourceVersion },
        ...(dryRun && { dryRun: ['All'] }),
      },
    });
  } catch (error) {
    if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
  }
}
