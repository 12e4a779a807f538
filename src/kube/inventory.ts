import { compareNatural } from '../lib/order.ts';
import type { EndpointFact, NodeFact, NodeInfo, PodFact } from '../model/cluster.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';

interface Networking {
  addressing?: { ipv4?: string; ipv6?: string }[];
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string; hostNetwork?: boolean };
  status?: { phase?: string; podIPs?: { ip?: string }[] };
}

interface Endpoint extends KubeObject {
  status?: { identity?: { id?: number }; networking?: Networking };
}

interface Slice extends KubeObject {
  namespace?: string;
  endpoints?: { name?: string; id?: number; networking?: Networking }[];
}

interface Node extends KubeObject {
  spec?: { taints?: { key?: string }[]; ipam?: { podCIDRs?: string[] } };
  status?: {
    conditions?: { type?: string; status?: string; message?: string }[];
    nodeInfo?: { kubeletVersion?: string; kernelVersion?: string };
  };
}

/** The pods that Cilium has to do with and that have not ended. One that is being deleted is there, and may lack anything. */
export function listPodFacts(client: KubeClient): Promise<PodFact[]> {
  return listAll<Pod, PodFact>(client, '/api/v1/pods', {}, ({ metadata, spec, status = {} }) => {
    const { phase, podIPs = [] } = status;
    if (spec?.hostNetwork) return undefined;
    // A pod that is being deleted keeps its endpoint for as long as it takes to end, and loses it before it goes.
    const isGoing = metadata?.deletionTimestamp !== undefined;
    if (phase !== 'Running' && phase !== 'Pending' && !isGoing) return undefined;
    return {
      name: nameOf(metadata),
      node: spec?.nodeName ?? '',
      runs: phase === 'Running' && !isGoing,
      addresses: podIPs.flatMap(({ ip = '' }) => (ip === '' ? [] : [ip])),
    };
  });
}

/** All CiliumEndpoints. */
export function listEndpointFacts(client: KubeClient): Promise<EndpointFact[]> {
  return listAll<Endpoint, EndpointFact>(
    client,
    '/apis/cilium.io/v2/ciliumendpoints',
    {},
    ({ metadata, status }) => ({
      name: nameOf(metadata),
      identity: status?.identity?.id,
      addresses: addressesOf(status?.networking),
    }),
  );
}

/** What all CiliumEndpointSlices hold. */
export async function listSliceFacts(client: KubeClient): Promise<EndpointFact[]> {
  const slices = await listAll<Slice, EndpointFact[]>(
    client,
    '/apis/cilium.io/v2alpha1/ciliumendpointslices',
    {},
    ({ namespace = '', endpoints = [] }) =>
      endpoints.map(({ name = '', id, networking }) => ({
        name: `${namespace}/${name}`,
        identity: id,
        addresses: addressesOf(networking),
      })),
  );
  return slices.flat();
}

/** The nodes with the keys of their taints. */
export function listNodeFacts(client: KubeClient): Promise<NodeFact[]> {
  return listAll<Node, NodeFact>(client, '/api/v1/nodes', {}, ({ metadata, spec }) => ({
    name: metadata?.name ?? '',
    taints: (spec?.taints ?? []).map(({ key = '' }) => key),
  }));
}

/** The nodes at a glance. */
export async function listNodeInfos(client: KubeClient): Promise<NodeInfo[]> {
  const nodes = await listAll<Node, NodeInfo>(client, '/api/v1/nodes', {}, ({ metadata, status = {} }) => {
    const { conditions = [], nodeInfo = {} } = status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    return {
      name: metadata?.name ?? '',
      ready: ready?.status ?? 'Unknown',
      why: ready?.message ?? '',
      kubelet: nodeInfo.kubeletVersion ?? '',
      kernel: nodeInfo.kernelVersion ?? '',
    };
  });
  return nodes.toSorted((a, b) => compareNatural(a.name, b.name));
}

/** The prefixes that CiliumNodes have for pods, by node. */
export async function listNodePrefixes(client: KubeClient): Promise<Map<string, string[]>> {
  const entries = await listAll<Node, [string, string[]]>(
    client,
    '/apis/cilium.io/v2/ciliumnodes',
    {},
    ({ metadata, spec }) => [metadata?.name ?? '', spec?.ipam?.podCIDRs ?? []],
  );
  return new Map(entries);
}

/** The numbers of all CiliumIdentities. */
export async function listIdentityNumbers(client: KubeClient): Promise<Set<number>> {
  return new Set(
    await listAll<KubeObject, number>(client, '/apis/cilium.io/v2/ciliumidentities', {}, ({ metadata }) =>
      Number(metadata?.name),
    ),
  );
}

function nameOf(metadata: KubeObject['metadata']): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

function addressesOf(networking: Networking | undefined): string[] {
  return (networking?.addressing ?? []).flatMap(({ ipv4, ipv6 }) =>
    [ipv4, ipv6].filter((ip): ip is string => ip !== undefined && ip !== ''),
  );
}
