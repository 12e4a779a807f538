import type { Access } from '../../cluster/clustermesh/access.ts';
import { type Connectivity, type Fault, sortedClusters } from '../../cluster/clustermesh/connectivity.ts';
import { compareBytes } from '../../lib/order.ts';
import { goJson } from '../text/json.ts';

/** The state of a mesh, as seen from one of its clusters. */
export interface MeshStatus {
  access: Access | undefined;
  agents: Connectivity | undefined;
  kvstoremesh: { isEnabled: boolean; replicas: Connectivity | undefined };
}

/** How the nodes are connected, as lines. */
export function connectivityLines(
  agents: Connectivity,
  { isEnabled, replicas }: MeshStatus['kvstoremesh'],
  namespace: string,
): string[] {
  const lines = ['', ...summaryOf(agents, 'nodes')];
  if (replicas) lines.push(...summaryOf(replicas, 'KVStoreMesh replicas'));
  lines.push('');
  if (agents.clusters.size === 0) lines.push('🔌 No cluster connected');
  else lines.push('🔌 Cluster Connections:', ...clusterLines(agents, replicas));
  lines.push('');
  const parts = [
    {
      of: agents,
      container: 'cilium-agent',
      command: 'cilium-dbg troubleshoot clustermesh',
      isLikelyKvstoremesh: isEnabled,
    },
    {
      of: replicas,
      container: 'kvstoremesh',
      command: '/usr/bin/clustermesh-apiserver kvstoremesh-dbg troubleshoot',
      isLikelyKvstoremesh: false,
    },
  ];
  const count = parts.reduce((sum, { of }) => sum + (of ? of.faults.size + of.silent.size : 0), 0);
  if (count === 0) return lines;
  lines.push(`❌ ${count} Errors:`);
  for (const { of, ...part } of parts) if (of) lines.push(...faultLines(of, part, namespace));
  return lines;
}

function summaryOf(of: Connectivity, component: string): string[] {
  const { min, avg, max } = of.connected;
  const range = `[min:${min} / avg:${avg.toFixed(1)} / max:${max}]`;
  if (of.notReady > 0)
    return [`⚠️  ${of.notReady}/${of.total} ${component} are not connected to all clusters ${range}`];
  if (of.clusters.size > 0) return [`✅ All ${of.total} ${component} are connected to all clusters ${range}`];
  return [];
}

function clusterLines(agents: Connectivity, replicas: Connectivity | undefined): string[] {
  return sortedClusters(agents.clusters).map(([name, { configured, connected }]) => {
    const counts = (of: Connectivity, one: { configured: number; connected: number }) =>
      `${one.configured}/${of.total} configured, ${one.connected}/${of.total} connected`;
    const line = `  - ${name}: ${counts(agents, { configured, connected })}`;
    if (!replicas) return line;
    const same = replicas.clusters.get(name);
    return `${line} - KVStoreMesh: ${same ? counts(replicas, same) : 'status not available'}`;
  });
}

function faultLines(
  of: Connectivity,
  part: { container: string; command: string; isLikelyKvstoremesh: boolean },
  namespace: string,
): string[] {
  const told = of
    .sorted()
    .map(([pod, cluster, faults]): [string, string[]] => [
      pod,
      faults.flatMap((fault) => [
        `  ❌ ${pod} is not connected to cluster ${cluster}: ${fault.text}`,
        ...adviceFor(fault, pod, cluster, part, namespace),
      ]),
    ]);
  const silent = [...of.silent].map(([pod, why]): [string, string[]] => [
    pod,
    [`  ❌ ${pod} could not be asked: ${why}`],
  ]);
  return [...told, ...silent].toSorted(([a], [b]) => compareBytes(a, b)).flatMap(([, lines]) => lines);
}

function adviceFor(
  { advice }: Fault,
  pod: string,
  cluster: string,
  {
    container,
    command,
    isLikelyKvstoremesh,
  }: { container: string; command: string; isLikelyKvstoremesh: boolean },
  namespace: string,
): string[] {
  if (advice === 'none') return [];
  if (advice === 'connection')
    return [
      `     💡 Run 'kubectl exec -it -n ${namespace} ${pod} -c ${container} -- ${command} ${cluster}' to investigate the cause`,
    ];
  return [
    isLikelyKvstoremesh
      ? '     💡 This is likely caused by KVStoreMesh not being connected to the given cluster'
      : '     💡 Double check if the cluster name matches the one configured in the remote cluster',
  ];
}

/** The same as JSON. What is zero or empty is left out. */
export function meshStatusJson({ access, agents, kvstoremesh }: MeshStatus): string {
  const { isEnabled, replicas } = kvstoremesh;
  const document = {
    ...(access && { access_information: accessDocument(access) }),
    ...(agents && { connectivity: connectivityDocument(agents) }),
    kvstoremesh: { enabled: isEnabled, ...(replicas && { status: connectivityDocument(replicas) }) },
  };
  return `${goJson(document, 1)}\n`;
}

function accessDocument(access: Access): object {
  return filled({
    service_type: access.serviceType,
    service_ips: access.ips,
    service_port: access.port,
    cluster_id: access.clusterId,
    cluster_name: access.clusterName,
    ca: Buffer.from(access.ca).toString('base64'),
    tunnel: access.tunnel,
    max_connected_clusters: access.maxConnected,
  });
}

function connectivityDocument(of: Connectivity): object {
  const clusters = sortedClusters(of.clusters).map(([name, count]) => [name, filled({ ...count })]);
  return {
    connected: filled({ ...of.connected }),
    ...filled({
      clusters: Object.fromEntries(clusters),
      total: of.total,
      not_ready: of.notReady,
      errors: errorsOf(of),
    }),
  };
}

function errorsOf(of: Connectivity): Record<string, Record<string, object>> {
  const errors: Record<string, Record<string, object>> = {};
  const note = (pod: string, cluster: string, texts: string[]) => {
    const clusters = errors[pod] ?? {};
    errors[pod] = { ...clusters, [cluster]: { Errors: texts, Warnings: [], Disabled: false } };
  };
  for (const [pod, cluster, faults] of of.sorted())
    note(
      pod,
      cluster,
      faults.map(({ text }) => text),
    );
  for (const [pod, why] of of.silent)
    for (const cluster of of.clusters.size > 0 ? of.clusters.keys() : [''])
      note(pod, cluster, [`could not be asked: ${why}`]);
  return Object.fromEntries(Object.entries(errors).toSorted(([a], [b]) => compareBytes(a, b)));
}

function filled(values: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (value: unknown) =>
    !value || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));
}
