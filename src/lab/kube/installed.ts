import { gzipSync } from 'node:zlib';
import type { Agent } from '../agent/agent.ts';
import { agentRelease } from '../version.ts';
import type { LabNode } from '../world/world.ts';
import {
  agentPod,
  CILIUM_NAMESPACE,
  type LabMember,
  type NewObject,
  OPERATOR_POD,
  RELAY_POD,
  RELAY_PORT,
  split,
} from './objects.ts';

/** All objects of a cluster whose agents these are, as they are when it starts. */
export function clusterObjects(members: readonly LabMember[], startedAt: string): NewObject[] {
  const [first] = members;
  if (!first) return [];
  const version = agentRelease(first.agent.version);
  const namespaces = new Set([
    CILIUM_NAMESPACE,
    'default',
    ...members.flatMap((one) => podsOf(one)).map(({ namespace }) => namespace),
  ]);
  return [
    ...[...namespaces].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      status: { phase: 'Active' },
    })),
    ...members.map(({ node }) => nodeObject(node)),
    ...members.map(({ node }) => ciliumNode(node)),
    ...workloads(members.length, version),
    ...members.map(({ node }) => agentPodObject(node, version, startedAt)),
    component(
      OPERATOR_POD,
      'cilium-operator',
      { 'io.cilium/app': 'operator', name: 'cilium-operator' },
      `quay.io/cilium/operator-generic:v${version}`,
      first.node,
      startedAt,
    ),
    component(
      RELAY_POD,
      'hubble-relay',
      { 'k8s-app': 'hubble-relay', 'app.kubernetes.io/name': 'hubble-relay' },
      `quay.io/cilium/hubble-relay:v${version}`,
      first.node,
      startedAt,
    ),
    relayService(),
    configMap(first.agent),
    helmRelease(version, startedAt),
    ...members.flatMap((one) => podsOf(one).map((pod) => podObject(pod, one.node, startedAt))),
  ];
}

interface LabPod {
  namespace: string;
  name: string;
  labels: Record<string, string>;
  ips: string[];
  workload: { kind: string; name: string } | undefined;
  ports: { name: string; port: number; protocol: string }[];
}

function podsOf({ agent }: LabMember): LabPod[] {
  return agent.state.endpoints
    .filter(({ kind }) => kind === 'pod')
    .map(({ pod, labels, ipv4, ipv6, workload, ports }) => {
      const [namespace = '', name = ''] = pod.split('/');
      const own = labels
        .map(split)
        .filter(([key]) => key.startsWith('k8s:') && !key.startsWith('k8s:io.'))
        .map(([key, value]): [string, string] => [key.slice('k8s:'.length), value]);
      return {
        namespace,
        name,
        labels: Object.fromEntries(own),
        ips: [ipv4, ipv6].filter((ip) => ip !== undefined),
        workload,
        ports,
      };
    });
}

const NODE_INFO = {
  kubeletVersion: 'v1.36.3',
  osImage: 'Debian GNU/Linux',
  architecture: 'amd64',
  operatingSystem: 'linux',
};

function nodeObject({ name, ipv4, ipv6, podCIDR, podCIDR6 }: LabNode): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR, podCIDRs: [podCIDR, ...(podCIDR6 ? [podCIDR6] : [])] },
    status: {
      addresses: [ipv4, ipv6]
        .filter((ip) => ip !== undefined)
        .map((address) => ({ type: 'InternalIP', address })),
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
      nodeInfo: NODE_INFO,
    },
  };
}

function ciliumNode({ name, ipv4, ipv6, podCIDR, podCIDR6, router, healthEndpoint }: LabNode): NewObject {
  const internal = [ipv4, ipv6].filter((ip) => ip !== undefined).map((ip) => ({ type: 'InternalIP', ip }));
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNode',
    metadata: { name },
    spec: {
      addresses: [...internal, { type: 'CiliumInternalIP', ip: router.ipv4 }],
      health: { ipv4: healthEndpoint.ipv4, ...(healthEndpoint.ipv6 && { ipv6: healthEndpoint.ipv6 }) },
      ipam: { podCIDRs: [podCIDR, ...(podCIDR6 ? [podCIDR6] : [])] },
    },
  };
}

const BY_HELM = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/part-of': 'cilium' },
  annotations: { 'meta.helm.sh/release-name': 'cilium', 'meta.helm.sh/release-namespace': CILIUM_NAMESPACE },
};

function workload(
  kind: 'DaemonSet' | 'Deployment',
  name: string,
  labels: Record<string, string>,
  count: number,
  container: { name: string; image: string },
): NewObject {
  const counts =
    kind === 'DaemonSet'
      ? {
          desiredNumberScheduled: count,
          currentNumberScheduled: count,
          numberReady: count,
          numberAvailable: count,
          updatedNumberScheduled: count,
        }
      : { replicas: count, readyReplicas: count, availableReplicas: count, updatedReplicas: count };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name,
      namespace: CILIUM_NAMESPACE,
      labels: { ...BY_HELM.labels, ...labels },
      annotations: BY_HELM.annotations,
    },
    spec: {
      selector: { matchLabels: labels },
      ...(kind === 'Deployment' && { replicas: count }),
      template: {
        metadata: { labels },
        spec: {
          ...(kind === 'DaemonSet' && { tolerations: [{ operator: 'Exists' }] }),
          hostNetwork: true,
          containers: [container],
        },
      },
    },
    status: { observedGeneration: 1, ...counts },
  };
}

function workloads(nodes: number, version: string): NewObject[] {
  return [
    workload('DaemonSet', 'cilium', { 'k8s-app': 'cilium' }, nodes, {
      name: 'cilium-agent',
      image: `quay.io/cilium/cilium:v${version}`,
    }),
    workload('Deployment', 'cilium-operator', { 'io.cilium/app': 'operator', name: 'cilium-operator' }, 1, {
      name: 'cilium-operator',
      image: `quay.io/cilium/operator-generic:v${version}`,
    }),
    workload('Deployment', 'hubble-relay', { 'k8s-app': 'hubble-relay' }, 1, {
      name: 'hubble-relay',
      image: `quay.io/cilium/hubble-relay:v${version}`,
    }),
  ];
}

function running(container: { name: string; image: string }, startedAt: string, ips: readonly string[]) {
  return {
    phase: 'Running',
    startTime: startedAt,
    podIP: ips[0],
    podIPs: ips.map((ip) => ({ ip })),
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      { ...container, ready: true, started: true, restartCount: 0, state: { running: { startedAt } } },
    ],
  };
}

function component(
  name: string,
  container: string,
  labels: Record<string, string>,
  image: string,
  node: LabNode,
  startedAt: string,
): NewObject {
  const isHost = container === 'cilium-operator';
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: name.replace(/-[^-]*$/, ''),
    controller: true,
  };
  const ips = isHost ? [node.ipv4] : [node.router.ipv4];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: CILIUM_NAMESPACE,
      labels: { ...labels, 'app.kubernetes.io/part-of': 'cilium' },
      ownerReferences: [owner],
    },
    // The lab's relay has no endpoint of its own: it is counted as one of the host.
    spec: { nodeName: node.name, hostNetwork: true, containers: [{ name: container, image }] },
    status: running({ name: container, image }, startedAt, ips),
  };
}

function agentPodObject(node: LabNode, version: string, startedAt: string): NewObject {
  const container = { name: 'cilium-agent', image: `quay.io/cilium/cilium:v${version}` };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: agentPod(node.name),
      namespace: CILIUM_NAMESPACE,
      labels: {
        'k8s-app': 'cilium',
        'app.kubernetes.io/name': 'cilium-agent',
        'app.kubernetes.io/part-of': 'cilium',
      },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'cilium', controller: true }],
    },
    spec: { nodeName: node.name, hostNetwork: true, containers: [container] },
    status: running(container, startedAt, [node.ipv4]),
  };
}

function relayService(): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hubble-relay', namespace: CILIUM_NAMESPACE, labels: { 'k8s-app': 'hubble-relay' } },
    spec: {
      type: 'ClusterIP',
      selector: { 'k8s-app': 'hubble-relay' },
      ports: [{ protocol: 'TCP', port: 80, targetPort: RELAY_PORT }],
    },
  };
}

/** The configuration that the agents run with. */
function configMap(agent: Agent): NewObject {
  const { cluster } = agent.world;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace: CILIUM_NAMESPACE, ...BY_HELM },
    data: {
      'cluster-id': String(cluster.id),
      'cluster-name': cluster.name,
      debug: 'false',
      'enable-hubble': 'true',
      'enable-ipv4': 'true',
      'enable-ipv6': String(agent.world.self.podCIDR6 !== undefined),
      'enable-policy': agent.state.config.policyEnforcement,
      'hubble-listen-address': ':4244',
      ipam: 'cluster-pool',
      'routing-mode': 'tunnel',
      'tunnel-protocol': 'vxlan',
    },
  };
}

/** The release as Helm keeps it: packed, and in base64 twice. */
function helmRelease(version: string, startedAt: string): NewObject {
  const release = {
    name: 'cilium',
    namespace: CILIUM_NAMESPACE,
    version: 1,
    info: { status: 'deployed', first_deployed: startedAt, last_deployed: startedAt },
    chart: { metadata: { name: 'cilium', version, appVersion: version } },
    config: {},
    manifest: '',
  };
  const packed = gzipSync(JSON.stringify(release)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: 'sh.helm.release.v1.cilium.v1',
      namespace: CILIUM_NAMESPACE,
      labels: { name: 'cilium', owner: 'helm', status: 'deployed', version: '1' },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  };
}

function podObject(
  { namespace, name, labels, ips, workload: of, ports }: LabPod,
  node: LabNode,
  startedAt: string,
): NewObject {
  const container = { name: 'app', image: 'registry.k8s.io/pause:3.10' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels,
      ...(of && {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: of.kind, name: of.name, controller: true }],
      }),
    },
    spec: {
      nodeName: node.name,
      serviceAccountName: 'default',
      containers: [
        {
          ...container,
          ports: ports.map(({ name: port, port: containerPort, protocol }) => ({
            name: port,
            containerPort,
            protocol,
          })),
        },
      ],
    },
    status: running(container, startedAt, ips),
  };
}

/** Rules of a scenario as objects: of no namespace, as they select by all labels that they name. */
export function policyObjects(rules: readonly Record<string, unknown>[]): NewObject[] {
  return rules.map((rule, i) => {
    // An object already.
    if (typeof rule.kind === 'string') return rule as NewObject;
    const { labels, ...spec } = rule;
    const named = Array.isArray(labels) ? labels.find((label) => label?.key === 'name')?.value : undefined;
    const name =
      typeof named === 'string' && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(named) ? named : `policy-${i + 1}`;
    return { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy', metadata: { name }, spec };
  });
}
