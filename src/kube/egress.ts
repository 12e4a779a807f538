import type { LabelSelector } from '../model/selector.ts';
import type { AgentPod } from './agents.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';

interface Gateway {
  nodeSelector?: LabelSelector;
  egressIP?: string;
  interface?: string;
}

/** A CiliumEgressGatewayPolicy. */
export interface EgressGatewayPolicy extends KubeObject {
  spec?: {
    selectors?: {
      podSelector?: LabelSelector;
      namespaceSelector?: LabelSelector;
      nodeSelector?: LabelSelector;
    }[];
    destinationCIDRs?: string[];
    excludedCIDRs?: string[];
    egressGateway?: Gateway;
    egressGateways?: Gateway[];
  };
}

interface CiliumNode extends KubeObject {
  spec?: { addresses?: { type?: string; ip?: string }[] };
}

interface Node extends KubeObject {
  status?: { conditions?: { type?: string; status?: string; reason?: string; message?: string }[] };
}

interface Endpoint extends KubeObject {
  status?: {
    identity?: { labels?: string[] };
    networking?: { node?: string; addressing?: { ipv4?: string; ipv6?: string }[] };
  };
}

const GROUP = '/apis/cilium.io/v2';

/** All egress gateway policies, in their own form. */
export function listEgressPolicies(client: KubeClient) {
  return listAll<EgressGatewayPolicy, ReturnType<typeof policyOf>>(
    client,
    `${GROUP}/ciliumegressgatewaypolicies`,
    {},
    policyOf,
  );
}

function policyOf({ metadata, spec = {} }: EgressGatewayPolicy) {
  const { egressGateway, egressGateways = [] } = spec;
  return {
    name: metadata?.name ?? '',
    selectors: (spec.selectors ?? []).map(({ podSelector, namespaceSelector, nodeSelector }) => ({
      pods: podSelector,
      namespaces: namespaceSelector,
      nodes: nodeSelector,
    })),
    destinations: spec.destinationCIDRs ?? [],
    excluded: spec.excludedCIDRs ?? [],
    gateways: [...(egressGateway ? [egressGateway] : []), ...egressGateways].map((gateway) => ({
      nodes: gateway.nodeSelector ?? {},
      egressIp: gateway.egressIP || undefined,
      iface: gateway.interface || undefined,
    })),
  };
}

/** The nodes of Cilium, and why one cannot pass traffic on, as Kubernetes and the pods of the agents tell. */
export async function listEgressNodes(client: KubeClient, agents: readonly AgentPod[]) {
  const [nodes, faults] = await Promise.all([
    listAll<CiliumNode, CiliumNode>(client, `${GROUP}/ciliumnodes`, {}, (node) => node),
    listAll<Node, [string, string]>(client, '/api/v1/nodes', {}, faultOf),
  ]);
  const faultOfNode = new Map(faults);
  const byNode = new Map(agents.map((agent) => [agent.node, agent]));
  return nodes.map(({ metadata, spec }) => {
    const name = metadata?.name ?? '';
    const agent = byNode.get(name);
    const ofAgent = agent
      ? (agent.trouble ?? (agent.isReady ? undefined : 'its agent is not ready'))
      : 'no agent of Cilium runs there';
    return {
      name,
      labels: metadata?.labels ?? {},
      // The agents of other nodes send to these.
      addresses: (spec?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
        .flatMap(({ ip }) => ip ?? []),
      trouble: faultOfNode.get(name) ?? ofAgent,
    };
  });
}

function faultOf({ metadata, status }: Node): [string, string] | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready || ready.status === 'True') return undefined;
  return [
    metadata?.name ?? '',
    `the node is not ready: ${ready.message || ready.reason || 'no reason is given'}`,
  ];
}

/** The pods that policies may be about. */
export function listEgressEndpoints(client: KubeClient) {
  return listAll<Endpoint, ReturnType<typeof endpointOf>>(client, `${GROUP}/ciliumendpoints`, {}, endpointOf);
}

function endpointOf({ metadata, status = {} }: Endpoint) {
  return {
    name: `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
    labels: status.identity?.labels ?? [],
    addresses: (status.networking?.addressing ?? []).flatMap(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].filter((ip): ip is string => Boolean(ip)),
    ),
    host: status.networking?.node ?? '',
  };
}
