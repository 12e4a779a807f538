import type { FeatureMetric } from '../model/cluster.ts';
import { type KubeClient, wordsOf } from './client.ts';
import { OBJECT } from './forms.ts';

interface Groups {
  groups?: { name?: string }[];
}
const GROUPS = { fields: { groups: { list: { fields: { name: 'text' } } } } } as const;
interface ClusterVersion {
  status?: { desired?: { version?: string } };
}

/** What runs in a cluster beside Cilium, as metrics; and what could not be looked at, by name. */
export async function detectComponents(
  client: KubeClient,
): Promise<{ metrics: FeatureMetric[]; unread: { name: string; why: string }[] }> {
  const metrics: FeatureMetric[] = [];
  const unread: { name: string; why: string }[] = [];
  const look = async (name: string, isThere: () => Promise<boolean>): Promise<boolean> => {
    try {
      const found = await isThere();
      metrics.push({ name, value: found ? 1 : 0 });
      return found;
    } catch (error) {
      client.signal.throwIfAborted();
      unread.push({ name, why: wordsOf(error) });
      return false;
    }
  };
  const daemonSet = async (name: string) =>
    (await client.find({ path: `/apis/apps/v1/namespaces/kube-system/daemonsets/${name}`, form: OBJECT })) !==
    undefined;
  await look('node_local_dns', () => daemonSet('node-local-dns'));
  await look('kube_proxy_enabled', () => daemonSet('kube-proxy'));
  const isOpenShift = await look('openshift_enabled', async () => {
    const { groups = [] } = await client.json<Groups>({ path: '/apis', form: GROUPS });
    return groups.some(({ name }) => name === 'route.openshift.io');
  });
  if (!isOpenShift) return { metrics, unread };
  const path = '/apis/config.openshift.io/v1/clusterversions/version';
  const version = await client.find<ClusterVersion>({ path }).catch((error: unknown) => {
    unread.push({ name: 'openshift_version', why: wordsOf(error) });
    return undefined;
  });
  metrics.push({
    name: 'openshift_version',
    labels: { version: String(version?.status?.desired?.version ?? '') },
  });
  return { metrics, unread };
}
