import type { External } from '../../cluster/connectivity/external.ts';
import { isIpv6 } from '../../cluster/connectivity/ip-text.ts';
import {
  ECHO_PORT,
  type TestNode,
  type TestPod,
  type TestService,
  type World,
} from '../../cluster/connectivity/plan.ts';
import { isReadyPod, type WaitingPod } from '../../cluster/connectivity/trouble.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { pathIn } from '../../kube/paths.ts';
import { podsPath } from '../../kube/pods.ts';

type PodObject = KubeObject &
  WaitingPod & {
    spec?: { containers?: { name?: string }[] };
    status?: { podIP?: string; podIPs?: { ip?: string }[] };
  };

interface ServiceObject extends KubeObject {
  spec?: {
    clusterIP?: string;
    clusterIPs?: string[];
    selector?: Record<string, string>;
    ports?: { port?: number; nodePort?: number }[];
  };
}

/** The pods of the tests that have an address. */
export async function listTestPods(client: KubeClient, namespace: string): Promise<TestPod[]> {
  return listAll<PodObject, TestPod>(client, podsPath(namespace), {}, podOf);
}

function podOf(pod: PodObject): TestPod | undefined {
  const { name: own = '', namespace = '', labels = {}, deletionTimestamp } = pod.metadata ?? {};
  const { podIP, podIPs = [], phase } = pod.status ?? {};
  const ips = podIPs.flatMap(({ ip }) => ip ?? []);
  const node = pod.spec?.nodeName;
  if (deletionTimestamp !== undefined || node === undefined || phase !== 'Running') return undefined;
  return {
    name: labels.name ?? own,
    namespace,
    pod: own,
    container: pod.spec?.containers?.[0]?.name ?? '',
    node,
    ips: ips.length > 0 ? ips : podIP === undefined ? [] : [podIP],
    labels,
    isReady: isReadyPod(pod),
  };
}

async function listServices(client: KubeClient, namespace: string): Promise<TestService[]> {
  const path = pathIn(namespace, 'services');
  return listAll<ServiceObject, TestService>(client, path, {}, ({ metadata, spec }) => {
    const [port] = spec?.ports ?? [];
    const ips = (spec?.clusterIPs ?? [spec?.clusterIP]).flatMap((ip) => (ip && ip !== 'None' ? ip : []));
    return {
      name: metadata?.name ?? '',
      namespace,
      ips,
      port: port?.port ?? ECHO_PORT,
      ...(port?.nodePort && { nodePort: port.nodePort }),
    };
  });
}

/** Where the cluster DNS is; nothing where that may not be read. */
async function readDns(client: KubeClient): Promise<World['dns']> {
  const labelSelector = 'k8s-app in (kube-dns,coredns)';
  try {
    const services = await listAll<ServiceObject, string>(
      client,
      '/api/v1/namespaces/kube-system/services',
      { labelSelector },
      ({ spec }) => (spec?.clusterIP && spec.clusterIP !== 'None' ? spec.clusterIP : undefined),
    );
    const pods = await listAll<PodObject, TestPod>(client, podsPath('kube-system'), { labelSelector }, podOf);
    const [serviceIp] = services;
    return {
      ...(serviceIp !== undefined && { serviceIp }),
      pods: pods.flatMap(({ pod, node, ips: [ip] }) => (ip === undefined ? [] : [{ name: pod, node, ip }])),
    };
  } catch (error) {
    if (error instanceof KubeRefusal) return { pods: [] };
    throw error;
  }
}

/** The domain of the cluster, as the search list of a pod has it. */
export function domainOf(resolvConf: string): string {
  const words = /^search\s+(.*)$/m.exec(resolvConf)?.[1]?.trim().split(/\s+/) ?? [];
  const found = words.find((word) => word.startsWith('svc.'));
  return found?.slice('svc.'.length).replace(/\.$/, '') || 'cluster.local';
}

/** All that the tests go between. */
export async function readWorld(
  client: KubeClient,
  {
    namespace,
    nodes,
    external,
    families,
  }: {
    namespace: string;
    nodes: readonly TestNode[];
    external: External;
    families: readonly (4 | 6)[];
  },
): Promise<World> {
  const [pods, services, dns] = await Promise.all([
    listTestPods(client, namespace),
    listServices(client, namespace),
    readDns(client),
  ]);
  const there = new Set(pods.flatMap(({ ips }) => ips.map((ip) => (isIpv6(ip) ? 6 : 4))));
  return {
    namespace,
    domain: 'cluster.local',
    pods,
    services,
    nodes: nodes.map(({ name, ips }) => ({ name, ips })),
    dns,
    families: families.filter((family) => there.has(family)),
    external,
  };
}
