import { type AddressRange, parsePrefix } from '../../lib/address.ts';
import { POD_ACCOUNT, POD_CLUSTER, POD_NAMESPACE } from '../../model/label.ts';
import { derivedAddress, derivedContainer, derivedMac, derivedNumber } from '../derive.ts';
import { normalRules } from '../policy/rules.ts';
import { hostPort } from '../scenario/host-port.ts';
import type { Scenario, ScenarioEndpoint, ScenarioNode, ScenarioService } from '../scenario/scenario.ts';
import { RESERVED } from '../state/identities.ts';
import { DEFAULT_OPTIONS, ENDPOINT_OPTIONS } from '../state/options.ts';
import type { LabEndpoint, LabIdentity, LabService, LabState } from '../state/state.ts';

/** What a lab never changes: the cluster around the node it plays. */
export interface World {
  scenario: Scenario;
  cluster: { name: string; id: number };
  self: LabNode;
  nodes: LabNode[];
  /** Pods of the other nodes: in a cluster as its other agents have them, else as the scenario says. */
  remotePods: RemotePod[];
}

export interface LabNode {
  name: string;
  /** cluster/name */
  fullName: string;
  ipv4: string;
  ipv6?: string;
  podCIDR: string;
  podCIDR6?: string;
  /** Of cilium_host. */
  router: { ipv4: string; ipv6?: string };
  /** Of the health endpoint. */
  healthEndpoint: { ipv4: string; ipv6?: string };
  health: { node: string; endpoint: string };
}

export interface RemotePod {
  pod: string;
  labels: string[];
  identity: number;
  node: LabNode;
  ipv4: string;
  ipv6?: string;
}

/** Builds the fixed part of a lab. */
export function buildWorld(scenario: Scenario, state: Pick<LabState, 'identities'>): World {
  const { cluster, nodes, self } = placesOf(scenario);
  const remotePods = (scenario.endpoints ?? [])
    .filter((endpoint) => endpoint.node !== undefined && endpoint.node !== self.name)
    .map((endpoint): RemotePod => {
      const node = nodes.find((n) => n.name === endpoint.node) ?? self;
      const labels = labelsOf(endpoint, cluster.name);
      const identity = state.identities.find((known) => sameLabels(known.labels, labels))?.id ?? 0;
      return { pod: endpoint.pod, labels, identity, node, ...addressesOf(endpoint, node) };
    });
  return { scenario, cluster, self, nodes, remotePods };
}

function placesOf(scenario: Scenario) {
  const cluster = { name: scenario.cluster?.name ?? 'lab', id: scenario.cluster?.id ?? 1 };
  const given = scenario.nodes?.length ? scenario.nodes : [{ name: 'node1', ipv4: '192.168.50.11' }];
  const nodes = given.map((node, i) => nodeOf(node, i, cluster.name));
  const first = nodes[0];
  if (!first) throw new Error('a lab has at least one node');
  return { cluster, nodes, self: nodes.find((n) => n.name === scenario.node) ?? first };
}

function nodeOf(node: ScenarioNode, index: number, cluster: string): LabNode {
  const podCIDR = node.podCIDR ?? `10.${11 + index}.0.0/16`;
  const { podCIDR6 } = node;
  const at = (...words: string[]) => ({
    ipv4: derivedAddress(mustParse(podCIDR), node.name, ...words),
    ...(podCIDR6 && { ipv6: derivedAddress(mustParse(podCIDR6), node.name, ...words) }),
  });
  return {
    name: node.name,
    fullName: `${cluster}/${node.name}`,
    ipv4: node.ipv4,
    ...(node.ipv6 && { ipv6: node.ipv6 }),
    podCIDR,
    ...(podCIDR6 && { podCIDR6 }),
    router: at('router'),
    healthEndpoint: at('health'),
    health: { node: node.health?.node ?? 'ok', endpoint: node.health?.endpoint ?? 'ok' },
  };
}

/** The scenario was checked before: a prefix in it parses. */
export function mustParse(text: string): AddressRange {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Error(`"${text}" is not a prefix`);
  return prefix;
}

function addressesOf(endpoint: ScenarioEndpoint, node: LabNode): { ipv4: string; ipv6?: string } {
  const ipv6 =
    endpoint.ipv6 ?? (node.podCIDR6 && derivedAddress(mustParse(node.podCIDR6), 'pod', endpoint.pod));
  return {
    ipv4: endpoint.ipv4 ?? derivedAddress(mustParse(node.podCIDR), 'pod', endpoint.pod),
    ...(ipv6 && { ipv6 }),
  };
}

/** The identity labels of a pod, sorted. */
export function labelsOf(endpoint: ScenarioEndpoint, cluster: string): string[] {
  const [namespace = ''] = endpoint.pod.split('/');
  const { labels = {} } = endpoint;
  const own = Array.isArray(labels)
    ? labels.map((label) => (/^[\w.-]+:/.test(label) ? label : `k8s:${label}`))
    : Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`);
  return [
    ...own,
    `k8s:${POD_CLUSTER}=${cluster}`,
    `k8s:${POD_ACCOUNT}=${endpoint.serviceAccount ?? 'default'}`,
    `k8s:${POD_NAMESPACE}=${namespace}`,
  ].sort();
}

export function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, i) => label === b[i]);
}

/**
 * The identity of a label set among `known`, or a new one, whose number follows from the labels. `known` is not changed.
 */
export function identityFor(
  labels: readonly string[],
  known: readonly LabIdentity[],
  clusterId: number,
): LabIdentity {
  const sorted = [...labels].sort();
  const found = [...RESERVED, ...known].find((identity) => sameLabels(identity.labels, sorted));
  if (found) return found;
  const base = clusterId * 65_536;
  const taken = new Set(known.map((identity) => identity.id));
  let id = base + 256 + derivedNumber(65_000, ...sorted);
  while (taken.has(id)) id++;
  return { id, labels: sorted };
}

/** The state that a scenario begins with. */
export function initialState(scenario: Scenario, digest: string, nowMs: number): LabState {
  const { cluster, self, nodes } = placesOf(scenario);
  const identities: LabIdentity[] = (scenario.identities ?? []).map((i) => ({
    id: i.id,
    labels: [...i.labels].sort(),
  }));
  for (const endpoint of scenario.endpoints ?? []) {
    const labels = labelsOf(endpoint, cluster.name);
    const found =
      endpoint.identity === undefined
        ? identityFor(labels, identities, cluster.id)
        : { id: endpoint.identity, labels };
    if (!identities.some((known) => known.id === found.id)) identities.push(found);
  }
  const own = (scenario.endpoints ?? []).filter((e) => (e.node ?? self.name) === self.name);
  const ids = new Set(own.flatMap((e) => (e.id === undefined ? [] : [e.id])));
  const freeId = (...words: string[]) => {
    let id = 1 + derivedNumber(4095, ...words);
    while (ids.has(id)) id = (id % 4095) + 1;
    ids.add(id);
    return id;
  };
  const endpoints = own.map((e, i) =>
    podEndpoint(e, {
      id: e.id ?? freeId('endpoint', e.pod),
      labels: labelsOf(e, cluster.name),
      identities,
      node: self,
      interfaceIndex: 12 + 2 * i,
    }),
  );
  endpoints.push(
    infraEndpoint('host', freeId('host'), self),
    infraEndpoint('health', freeId('health'), self),
  );
  endpoints.sort((a, b) => a.id - b.id);
  const podAt = (pod: string) => {
    const endpoint = (scenario.endpoints ?? []).find((e) => e.pod === pod);
    const node = nodes.find((n) => n.name === (endpoint?.node ?? self.name)) ?? self;
    return endpoint && { ...addressesOf(endpoint, node), node: node.name };
  };
  return {
    format: 1,
    scenario: { name: scenario.name, digest },
    policy: {
      revision: 1 + (scenario.policies?.length ? 1 : 0),
      rules: normalRules(scenario.policies ?? []),
    },
    config: {
      options: { ...DEFAULT_OPTIONS, ...scenario.config?.options },
      policyEnforcement: scenario.config?.policyEnforcement ?? 'default',
      monitorPages: 64,
    },
    endpoints,
    identities,
    services: (scenario.services ?? []).map((service, i) => serviceOf(service, service.id ?? i + 1, podAt)),
    prefilter: {
      enabled: scenario.prefilter?.enabled ?? true,
      revision: 1,
      deny: scenario.prefilter?.deny ?? [],
    },
    dns: (scenario.dns ?? []).map((lookup) => ({
      fqdn: lookup.name.endsWith('.') ? lookup.name : `${lookup.name}.`,
      ips: lookup.ips,
      ttl: lookup.ttl ?? 60,
      'lookup-time': new Date(nowMs).toISOString(),
      'expiration-time': new Date(nowMs + (lookup.ttl ?? 60) * 1000).toISOString(),
      'endpoint-id': endpoints.find((e) => e.pod === lookup.endpoint)?.id ?? 0,
      source: lookup.source ?? 'lookup',
    })),
    recorders: scenario.recorders ?? [],
    ipam: {},
  };
}

interface PodFacts {
  id: number;
  labels: string[];
  identities: readonly LabIdentity[];
  node: LabNode;
  interfaceIndex: number;
}

function podEndpoint(endpoint: ScenarioEndpoint, facts: PodFacts): LabEndpoint {
  const { pod } = endpoint;
  const containerId = derivedContainer('container', pod);
  const [kind, owner] = (endpoint.workload ?? '').split('/');
  return {
    id: facts.id,
    kind: 'pod',
    pod,
    ...(kind && owner && { workload: { kind, name: owner } }),
    containerId,
    labels: facts.labels,
    userLabels: [],
    disabledLabels: [],
    identity: endpoint.identity ?? facts.identities.find((i) => sameLabels(i.labels, facts.labels))?.id ?? 0,
    ...addressesOf(endpoint, facts.node),
    mac: derivedMac('pod', pod),
    hostMac: derivedMac('host', pod),
    interfaceIndex: facts.interfaceIndex + 1,
    interfaceName: `lxc${containerId.slice(0, 10)}`,
    options: { ...ENDPOINT_OPTIONS },
    state: endpoint.state ?? 'ready',
    ...(endpoint.health && { health: endpoint.health }),
    ports: Object.entries(endpoint.ports ?? {}).map(([name, text]) => {
      const [port, protocol = 'TCP'] = text.split('/');
      return { name, port: Number(port), protocol };
    }),
    ...(endpoint.message && { message: endpoint.message }),
  };
}

function infraEndpoint(kind: 'host' | 'health', id: number, node: LabNode): LabEndpoint {
  return {
    id,
    kind,
    pod: '',
    containerId: '',
    ...(kind === 'health' && { containerName: 'cilium-health', ...node.healthEndpoint }),
    labels: [`reserved:${kind}`],
    userLabels: [],
    disabledLabels: [],
    identity: kind === 'host' ? 1 : 4,
    mac: derivedMac(kind, node.name),
    hostMac: derivedMac('peer', kind, node.name),
    interfaceIndex: kind === 'host' ? 4 : 9,
    interfaceName: kind === 'host' ? 'cilium_host' : 'lxc_health',
    options: { ...ENDPOINT_OPTIONS },
    state: 'ready',
    ports: [],
  };
}

type PodAt = (pod: string) => { ipv4: string; node: string } | undefined;

function serviceOf(service: ScenarioService, id: number, podAt: PodAt): LabService {
  const [namespace = '', name = ''] = service.name.split('/');
  const frontend = hostPort(service.frontend);
  return {
    id,
    'frontend-address': { ...frontend, scope: 'external' },
    'backend-addresses': (service.backends ?? []).map((text) => {
      const [where = '', state = 'active'] = text.split('=');
      const at = hostPort(where);
      const pod = podAt(at.ip);
      return {
        ip: pod?.ipv4 ?? at.ip,
        port: at.port,
        protocol: frontend.protocol,
        ...(pod && { nodeName: pod.node }),
        state,
        preferred: true,
        weight: 100,
      };
    }),
    flags: {
      type: service.type ?? 'ClusterIP',
      name,
      namespace,
      trafficPolicy: service.trafficPolicy ?? 'Cluster',
      extTrafficPolicy: service.trafficPolicy ?? 'Cluster',
      intTrafficPolicy: 'Cluster',
      ...(service.cluster && { cluster: service.cluster }),
    },
  };
}
