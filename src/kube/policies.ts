import { KubeClient, type KubeObject, type KubeOptions, KubeRefusal } from './client.ts';
import { pages } from './pages.ts';

const PLURALS = {
  CiliumNetworkPolicy: 'ciliumnetworkpolicies',
  CiliumClusterwideNetworkPolicy: 'ciliumclusterwidenetworkpolicies',
} as const;
const API_VERSION = 'cilium.io/v2';

/** A policy as the API server holds it. */
export interface StoredPolicy {
  kind: keyof typeof PLURALS;
  /** `namespace/name`, or the name where there is no namespace. */
  name: string;
  object: Record<string, unknown>;
}

/** Every CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of the cluster, page by page; none without their CRDs. */
export async function* listPolicies(options: KubeOptions): AsyncGenerator<StoredPolicy> {
  await using client = await KubeClient.open(options);
  for (const kind of ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'] as const) {
    // A list that began anew repeats what came before.
    const told = new Set<string>();
    try {
      for await (const { items } of pages(client, `/apis/${API_VERSION}/${PLURALS[kind]}`))
        for (const item of items) {
          const policy = stored(kind, item);
          if (!told.has(policy.name)) yield policy;
          told.add(policy.name);
        }
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === 404)) throw error;
    }
  }
}

/** Without the record of who set which field, as `kubectl get -o json` shows it. */
function stored(kind: StoredPolicy['kind'], item: KubeObject): StoredPolicy {
  const { managedFields: _, ...metadata } = item.metadata ?? {};
  return {
    kind,
    name: [metadata.namespace, metadata.name].filter(Boolean).join('/'),
    object: { apiVersion: API_VERSION, kind, ...item, metadata },
  };
}
