import { FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { DELETED } from './forms.ts';
import { listAll } from './pages.ts';

/** Kinds of policies that are removed, with their groups. */
const POLICY_KINDS = [
  { apiVersion: 'cilium.io/v2', plural: 'ciliumnetworkpolicies', kind: 'CiliumNetworkPolicy' },
  {
    apiVersion: 'cilium.io/v2',
    plural: 'ciliumclusterwidenetworkpolicies',
    kind: 'CiliumClusterwideNetworkPolicy',
  },
  { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies', kind: 'NetworkPolicy' },
] as const;

/** A policy object of the cluster, and where it is. */
export interface FoundPolicy {
  /** `kind namespace/name`. */
  name: string;
  path: string;
  object: KubeObject;
  /** It was applied by this program, whoever has changed it since. */
  isOwn: boolean;
}

interface Managed {
  manager?: string;
  operation?: string;
}

/** All policies with these labels, of every kind that the cluster has. */
export async function findPolicies(client: KubeClient, labelSelector: string): Promise<FoundPolicy[]> {
  const found: FoundPolicy[] = [];
  for (const { apiVersion, plural, kind } of POLICY_KINDS) {
    try {
      found.push(
        ...(await listAll<KubeObject, FoundPolicy>(
          client,
          `/apis/${apiVersion}/${plural}`,
          { labelSelector },
          (item) => {
            const { name = '', namespace, managedFields = [], ...metadata } = item.metadata ?? {};
            const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
            const shown = namespace === undefined ? name : `${namespace}/${name}`;
            return {
              name: `${kind} ${shown}`,
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
