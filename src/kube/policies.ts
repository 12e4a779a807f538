import { found } from './answer.ts';
import { type ClusterFlags, loadKubeConfig } from './config.ts';

const PLURALS = {
  CiliumNetworkPolicy: 'ciliumnetworkpolicies',
  CiliumClusterwideNetworkPolicy: 'ciliumclusterwidenetworkpolicies',
} as const;
const API_VERSION = 'cilium.io/v2';
/** Objects per request. */
const PAGE = 100;

/** A policy as the API server holds it. */
export interface StoredPolicy {
  kind: keyof typeof PLURALS;
  /** `namespace/name`, or the name where there is no namespace. */
  name: string;
  object: Record<string, unknown>;
}

/** Every CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of the cluster, page by page; none without their CRDs. */
export async function* listPolicies(
  env: Readonly<Record<string, string | undefined>>,
  flags: ClusterFlags,
): AsyncGenerator<StoredPolicy> {
  const config = await loadKubeConfig(env, flags);
  const { CustomObjectsApi } = await import('@kubernetes/client-node');
  const api = config.makeApiClient(CustomObjectsApi);
  for (const kind of ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'] as const) {
    let next: string | undefined;
    do {
      const request = api.listClusterCustomObject({
        group: 'cilium.io',
        version: 'v2',
        plural: PLURALS[kind],
        limit: PAGE,
        ...(next && { _continue: next }),
      });
      const page = (await found(request, `list of ${kind}`)) as ObjectList | undefined;
      for (const item of page?.items ?? []) yield stored(kind, item);
      next = page?.metadata?.continue;
    } while (next);
  }
}

interface ObjectList {
  metadata?: { continue?: string };
  items?: Record<string, unknown>[] | null;
}

/** Without the record of who set which field, as `kubectl get -o json` shows it. */
function stored(kind: StoredPolicy['kind'], item: Record<string, unknown>): StoredPolicy {
  const { managedFields: _, ...metadata } = (item.metadata ?? {}) as Record<string, unknown>;
  return {
    kind,
    name: [metadata.namespace, metadata.name].filter(Boolean).join('/'),
    object: { apiVersion: API_VERSION, kind, ...item, metadata },
  };
}
