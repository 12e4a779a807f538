import { UserError } from '../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { listAll } from './pages.ts';

/** Where the chart and the reference look when nobody says otherwise. */
const USUAL_NAMESPACE = 'kube-system';

/**
 * The namespace that Cilium is installed in: the one that is given, else that of the DaemonSet with the agent's label.
 * Where such a list is not allowed, or empty, it is the usual one. Throws UserError where there are several.
 */
export async function ciliumNamespace(client: KubeClient, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const found = await listAll<KubeObject, string>(
    client,
    '/apis/apps/v1/daemonsets',
    { labelSelector: 'k8s-app=cilium' },
    ({ metadata }) => metadata?.namespace,
  ).catch((error: unknown) => {
    if (error instanceof KubeRefusal && error.code === 403) return [];
    throw error;
  });
  const namespaces = [...new Set(found)].toSorted();
  if (namespaces.length > 1)
    throw new UserError(`Cilium's DaemonSet is in several namespaces: ${namespaces.join(', ')}`, {
      hint: 'Name the one that is meant: --namespace.',
    });
  return namespaces[0] ?? USUAL_NAMESPACE;
}
