import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';

/** A workload as it is in the cluster. */
export interface RunningObject {
  apiVersion: string;
  kind: string;
  namespace: string | undefined;
  name: string;
  isKept: boolean;
  value: Record<string, unknown>;
}

const KINDS = [
  ['apps/v1', 'DaemonSet', 'daemonsets'],
  ['apps/v1', 'Deployment', 'deployments'],
  ['batch/v1', 'CronJob', 'cronjobs'],
] as const;
const NAMES = /^(?:cilium(?:-|$)|hubble-|clustermesh-apiserver)/;

/** The workloads of Cilium in a namespace, by their names, whoever made them. */
export async function listRunningObjects(client: KubeClient, namespace: string): Promise<RunningObject[]> {
  const found: RunningObject[] = [];
  for (const [apiVersion, kind, plural] of KINDS)
    found.push(
      ...(await listAll<KubeObject, RunningObject>(
        client,
        `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}`,
        {},
        (item) => {
          const { name = '', labels = {} } = item.metadata ?? {};
          const isOwn = labels['app.kubernetes.io/part-of'] === 'cilium' || NAMES.test(name);
          return isOwn ? { apiVersion, kind, namespace, name, isKept: false, value: { ...item } } : undefined;
        },
      )),
    );
  return found;
}
