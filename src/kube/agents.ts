import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';
import { type Pod, podPath, podsPath, troubleOf, unreadyOf } from './pods.ts';

/** Label and container of the agent, in every release. */
const AGENT_LABEL = 'k8s-app=cilium';
export const AGENT_CONTAINER = 'cilium-agent';

/** Where the agent of a node runs. */
export interface AgentPlace {
  node: string;
  namespace: string;
  pod: string;
}

/** The agent of a node, as the cluster shows it. */
export interface AgentPod extends AgentPlace {
  /** Why it cannot be asked; undefined when it runs. */
  trouble: string | undefined;
  /** It runs, and says that it is ready. */
  isReady: boolean;
}

/** A node, and the way to its agent, or why there is none. */
export interface Stop {
  node: string;
  pod?: string | undefined;
  dial?: Dial;
  trouble?: string | undefined;
  /** When it was asked, in ms since the epoch, where its answers are read from an archive. */
  collectedMs?: number | undefined;
}

/**
 * The agents of a cluster by node, of one namespace or of all. Of two on one node the one that runs counts. Throws
 * UserError where they are of several namespaces: anybody can give a pod the agent's label.
 */
export async function listAgents(
  client: KubeClient,
  {
    namespace,
    node,
    selector = AGENT_LABEL,
  }: { namespace?: string | undefined; node?: string | undefined; selector?: string | undefined } = {},
): Promise<AgentPod[]> {
  const found = await listAll<Pod, AgentPod>(
    client,
    podsPath(namespace),
    { labelSelector: selector, ...(node !== undefined && { fieldSelector: `spec.nodeName=${node}` }) },
    (pod) => agentOf(pod),
  );
  const namespaces = [...new Set(found.map((agent) => agent.namespace))].toSorted();
  if (namespaces.length > 1)
    throw new UserError(
      `pods with the label ${selector} are in several namespaces: ${namespaces.join(', ')}`,
      {
        hint: 'Name the one that Cilium is installed in: --namespace.',
      },
    );
  const byNode = new Map<string, AgentPod>();
  for (const agent of found) {
    const other = byNode.get(agent.node);
    if (!other || (other.trouble !== undefined && agent.trouble === undefined)) byNode.set(agent.node, agent);
  }
  return [...byNode.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

function agentOf(pod: Pod, container = AGENT_CONTAINER): AgentPod | undefined {
  const node = pod.spec?.nodeName;
  if (!node) return undefined;
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const trouble = troubleOf(pod, container);
  return { node, namespace, pod: name, trouble, isReady: unreadyOf(pod, container) === undefined };
}

/** Label and container of the operator, in every release. */
const OPERATOR_LABEL = 'io.cilium/app=operator';
export const OPERATOR_CONTAINER = 'cilium-operator';

/** A pod of the operator, and the program that runs in it. */
export interface OperatorPod extends AgentPod {
  /** Undefined where the pod does not name it. */
  program: string | undefined;
}

/** The operator's pods of a namespace; that of a node alone, if one is named. */
export function listOperators(
  client: KubeClient,
  {
    namespace,
    node,
    selector = OPERATOR_LABEL,
  }: { namespace: string; node?: string | undefined; selector?: string | undefined },
): Promise<OperatorPod[]> {
  return listAll<Pod, OperatorPod>(
    client,
    podsPath(namespace),
    { labelSelector: selector, ...(node !== undefined && { fieldSelector: `spec.nodeName=${node}` }) },
    (pod) => {
      const place = agentOf(pod, OPERATOR_CONTAINER);
      const own = pod.spec?.containers?.find(({ name }) => name === OPERATOR_CONTAINER);
      return place && { ...place, program: own?.command?.find((word) => word.includes('cilium-operator')) };
    },
  );
}

/** The agent of the node that is named, or of the one that a pod (`namespace/name`) runs on. It is there and runs. */
export async function findAgent(
  client: KubeClient,
  target: { node: string } | { pod: string },
  namespace?: string,
): Promise<AgentPod> {
  const node = 'node' in target ? target.node : await nodeOfPod(client, target.pod);
  const [agent] = await listAgents(client, { namespace, node });
  if (!agent) throw await nowhere(client, node, namespace);
  if (agent.trouble !== undefined)
    throw new UserError(
      `the agent ${agent.namespace}/${agent.pod} of node ${node} cannot be asked: ${agent.trouble}`,
      {
        hint: `See: kubectl -n ${agent.namespace} describe pod ${agent.pod}`,
      },
    );
  return agent;
}

async function nodeOfPod(client: KubeClient, pod: string): Promise<string> {
  const slash = pod.indexOf('/');
  const namespace = slash < 0 ? (client.namespace ?? 'default') : pod.slice(0, slash);
  const name = pod.slice(slash + 1);
  const found = await client.find<Pod>({ path: podPath(namespace, name) });
  if (!found)
    throw new UserError(`there is no pod ${namespace}/${name}`, { hint: 'Name it as --pod NAMESPACE/NAME.' });
  const node = found.spec?.nodeName;
  if (!node) throw new UserError(`the pod ${namespace}/${name} runs on no node yet`);
  return node;
}

/** Why a node has no agent. */
async function nowhere(client: KubeClient, node: string, namespace: string | undefined): Promise<UserError> {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}`;
  if (!(await client.find<KubeObject>({ path })))
    return new UserError(`the cluster has no node ${node}`, { hint: 'Its nodes: kubectl get nodes' });
  return new UserError(`no agent of Cilium runs on node ${node}`, {
    hint: `No pod there has the label ${AGENT_LABEL}${namespace === undefined ? '' : ` in the namespace ${namespace}`}.`,
  });
}
