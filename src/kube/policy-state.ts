import { UserError } from '../errors.ts';
import type { AgentLists, ContainerPort } from '../model/agent-lists.ts';
import type { Build } from '../model/release.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { configMapPath } from './config-map.ts';
import { listAll } from './pages.ts';
import { installedBuild } from './release.ts';

/** What verdicts in a cluster rest on, as its API server has it. */
export interface ClusterPolicyState {
  lists: Omit<AgentLists, 'services'>;
  /** Pods, namespaces, services, their endpoints and groups of CIDRs. */
  objects: KubeObject[];
  /** Policies of all kinds that agents read. */
  policies: KubeObject[];
  /** The agents' ConfigMap. */
  config: Readonly<Record<string, string>>;
  /** Keys that some nodes may have another value of. */
  differing: ReadonlySet<string>;
  build: Build | undefined;
}

interface EndpointObject extends KubeObject {
  status?: {
    identity?: { id?: number; labels?: string[] };
    networking?: { addressing?: { ipv4?: string; ipv6?: string }[] };
    'named-ports'?: Partial<ContainerPort>[];
  };
}

interface NodeObject extends KubeObject {
  spec?: { addresses?: { type?: string; ip?: string }[] };
}

const CLUSTER_POLICIES = '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies';
const REMOTE_NODE = 6;

/**
 * Asks the API server for everything that verdicts rest on. A kind that may not be listed is an error: without it they
 * would be others. Of kinds that the cluster does not have there is nothing.
 */
export async function readClusterState(client: KubeClient, namespace: string): Promise<ClusterPolicyState> {
  const cilium = (plural: string) => `/apis/cilium.io/v2/${plural}`;
  const ofKind = (path: string, apiVersion: string, kind: string) =>
    listKnown<KubeObject, KubeObject>(client, path, (object) => {
      const { managedFields: _, ...metadata } = object.metadata ?? {};
      return { apiVersion, kind, ...object, metadata };
    });
  const identities = await listKnown<KubeObject & { 'security-labels'?: Record<string, string> }, Labelled>(
    client,
    cilium('ciliumidentities'),
    ({ metadata, 'security-labels': labels = {} }) => {
      const id = Number(metadata?.name);
      if (!Number.isSafeInteger(id)) return undefined;
      return {
        id,
        labels: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
      };
    },
  );
  if (identities.length === 0)
    throw new UserError('the cluster has no CiliumIdentities: who may reach whom cannot be told', {
      hint: 'They are kept elsewhere where identity-allocation-mode is kvstore: ask an agent, --state agent --node NAME.',
    });
  const [endpoints, nodes] = await Promise.all([
    listKnown<EndpointObject, EndpointObject>(client, cilium('ciliumendpoints'), ({ metadata, status }) => ({
      metadata: { name: metadata?.name, namespace: metadata?.namespace },
      status,
    })),
    listKnown<NodeObject, string[]>(client, cilium('ciliumnodes'), ({ spec }) =>
      (spec?.addresses ?? []).flatMap(({ ip }) => ip ?? []),
    ),
  ]);
  const objects = await Promise.all([
    ofKind('/api/v1/namespaces', 'v1', 'Namespace'),
    ofKind('/api/v1/pods', 'v1', 'Pod'),
    ofKind('/api/v1/services', 'v1', 'Service'),
    ofKind('/apis/discovery.k8s.io/v1/endpointslices', 'discovery.k8s.io/v1', 'EndpointSlice'),
    ofKind(cilium('ciliumcidrgroups'), 'cilium.io/v2', 'CiliumCIDRGroup'),
  ]);
  const policies = await Promise.all([
    ofKind(cilium('ciliumnetworkpolicies'), 'cilium.io/v2', 'CiliumNetworkPolicy'),
    ofKind(cilium('ciliumclusterwidenetworkpolicies'), 'cilium.io/v2', 'CiliumClusterwideNetworkPolicy'),
    ofKind('/apis/networking.k8s.io/v1/networkpolicies', 'networking.k8s.io/v1', 'NetworkPolicy'),
    ofKind(CLUSTER_POLICIES, 'policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy'),
  ]);
  const [config, build] = await Promise.all([
    readConfig(client, namespace),
    installedBuild(client, namespace),
  ]);
  return {
    lists: listsOf(identities, endpoints, nodes.flat()),
    objects: objects.flat(),
    policies: policies.flat(),
    ...config,
    build,
  };
}

type Labelled = AgentLists['identities'][number];

/** A list; nothing where the cluster does not know the kind. */
async function listKnown<T extends KubeObject, K>(
  client: KubeClient,
  path: string,
  keep: (object: T) => K | undefined,
): Promise<K[]> {
  try {
    return await listAll<T, K>(client, path, {}, keep);
  } catch (error) {
    if (error instanceof KubeRefusal && error.code === 404) return [];
    throw error;
  }
}

function listsOf(
  identities: Labelled[],
  endpoints: readonly EndpointObject[],
  nodes: readonly string[],
): ClusterPolicyState['lists'] {
  const known = endpoints.flatMap(({ metadata, status }) => {
    const { id, labels = [] } = status?.identity ?? {};
    if (id === undefined) return [];
    const addresses = (status?.networking?.addressing ?? []).flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
    const namedPorts = (status?.['named-ports'] ?? []).flatMap(({ name, port, protocol = 'TCP' }) =>
      name === undefined || port === undefined ? [] : [{ name, port, protocol }],
    );
    const pod = `${metadata?.namespace}/${metadata?.name}`;
    return [{ identity: id, labels, namedPorts, pod, addresses: addresses.filter((ip) => ip !== undefined) }];
  });
  return {
    identities,
    // Their own numbers are those of a node.
    endpoints: known.map(({ addresses: _, ...endpoint }, i) => ({ id: i + 1, ...endpoint })),
    ips: [
      ...known.flatMap(({ addresses, identity, pod }) =>
        addresses.map((ip) => ({ cidr: hostPrefix(ip), identity, pod })),
      ),
      ...nodes.map((ip) => ({ cidr: hostPrefix(ip), identity: REMOTE_NODE })),
    ],
  };
}

function hostPrefix(ip: string): string {
  return ip.includes(':') ? `${ip}/128` : `${ip}/32`;
}

/** The agents' configuration, and what of it nodes override. */
async function readConfig(
  client: KubeClient,
  namespace: string,
): Promise<Pick<ClusterPolicyState, 'config' | 'differing'>> {
  const root = configMapPath(namespace);
  const { data = {} } = await client.json<{ data?: Record<string, string> }>({ path: root });
  const overrides = await listKnown<KubeObject & { spec?: { defaults?: Record<string, string> } }, string[]>(
    client,
    '/apis/cilium.io/v2/ciliumnodeconfigs',
    ({ spec }) => Object.keys(spec?.defaults ?? {}),
  );
  return { config: data, differing: new Set(overrides.flat()) };
}
