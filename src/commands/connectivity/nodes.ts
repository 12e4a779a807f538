import type { TestNode } from '../../cluster/connectivity/plan.ts';
import { UserError } from '../../errors.ts';
import { type AgentPod, listAgents } from '../../kube/agents.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { compareNatural } from '../../lib/order.ts';

interface NodeObject extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: { key?: string; effect?: string }[] };
  status?: {
    addresses?: { type?: string; address?: string }[];
    conditions?: { type?: string; status?: string }[];
  };
}

/** A node, and why no test pod can run there. */
export interface Candidate extends TestNode {
  hostname: string;
  trouble: string | undefined;
  agent: AgentPod | undefined;
}

/** Nodes that are meant to be without Cilium. */
const WITHOUT_CILIUM = 'cilium.io/no-schedule';
/** Nodes that only seem to run pods. */
const FAKE = 'kwok.x-k8s.io/node';

/** All nodes, those first that test pods can run on. */
export async function listCandidates(
  client: KubeClient,
  {
    namespace,
    selector,
    tolerations,
  }: { namespace: string; selector: string | undefined; tolerations: readonly string[] },
): Promise<{ nodes: Candidate[]; withoutCilium: number }> {
  const [found, agents] = await Promise.all([
    listAll<NodeObject, NodeObject>(client, '/api/v1/nodes', { labelSelector: selector }, (node) => node),
    listAgents(client, { namespace }),
  ]);
  const byNode = new Map(agents.map((agent) => [agent.node, agent]));
  const meant = found.filter(({ metadata }) => metadata?.labels?.[WITHOUT_CILIUM] !== 'true');
  const nodes = meant.map((node): Candidate => {
    const name = node.metadata?.name ?? '';
    const addresses = node.status?.addresses ?? [];
    const internal = addresses.filter(({ type }) => type === 'InternalIP');
    return {
      name,
      hostname: node.metadata?.labels?.['kubernetes.io/hostname'] ?? name,
      ips: internal.flatMap(({ address }) => address ?? []),
      trouble: nodeTrouble(node, byNode.get(name), tolerations),
      agent: byNode.get(name),
    };
  });
  return {
    nodes: nodes.toSorted((a, b) => compareNatural(a.name, b.name)),
    withoutCilium: found.length - meant.length,
  };
}

function nodeTrouble(
  { metadata, spec, status }: NodeObject,
  agent: AgentPod | undefined,
  tolerations: readonly string[],
): string | undefined {
  if (metadata?.annotations?.[FAKE] !== undefined) return 'it is a node of kwok, which runs no pods';
  if (spec?.unschedulable) return 'it is cordoned';
  if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is !== 'True'))
    return 'it is not ready';
  const taint = spec?.taints?.find(
    ({ key = '', effect }) => effect !== 'PreferNoSchedule' && !tolerations.includes(key),
  );
  if (taint) return `it has the taint ${taint.key}:${taint.effect} (--tolerations ${taint.key})`;
  if (!agent) return 'no agent of Cilium runs there';
  return agent.trouble === undefined ? undefined : `its agent cannot be asked: ${agent.trouble}`;
}

/** The one or two nodes that the test pods run on. Throws UserError where there is none. */
export function pickNodes(
  nodes: readonly Candidate[],
  { single }: { single: boolean },
): { first: Candidate; second?: Candidate } {
  const [first, second] = nodes.filter(({ trouble }) => trouble === undefined);
  if (!first)
    throw new UserError('no node of the cluster can run the test pods', {
      hint:
        nodes.length === 0
          ? 'It has no nodes.'
          : nodes.map(({ name, trouble }) => `${name}: ${trouble}`).join('\n'),
    });
  return { first, ...(second && !single && { second }) };
}
