import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listAll } from './pages.ts';

/** Label and container of the agent, in every release. */
const AGENT_LABEL = 'k8s-app=cilium';
export const AGENT_CONTAINER = 'cilium-agent';

/** The agent of a node, as the cluster shows it. */
export interface AgentPod {
  node: string;
  namespace: string;
  pod: string;
  /** Why it cannot be asked; undefined when it runs. */
  trouble: string | undefined;
}

/** A node, and the way to its agent, or why there is none. */
export interface Stop {
  node: string;
  pod?: string | undefined;
  dial?: Dial;
  trouble?: string | undefined;
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  terminated?: { reason?: string; exitCode?: number };
  running?: object;
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string };
  status?: {
    phase?: string;
    reason?: string;
    containerStatuses?: { name?: string; ready?: boolean; state?: ContainerState }[];
    initContainerStatuses?: { name?: string; state?: ContainerState }[];
  };
}

/**
 * The agents of a cluster by node, of one namespace or of all. Of two on one node the one that runs counts. Throws
 * UserError where they are of several namespaces: anybody can give a pod the agent's label.
 */
export async function listAgents(
  client: KubeClient,
  { namespace, node }: { namespace?: string | undefined; node?: string | undefined } = {},
): Promise<AgentPod[]> {
  const path =
    namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const found = await listAll<Pod, AgentPod>(
    client,
    path,
    { labelSelector: AGENT_LABEL, ...(node !== undefined && { fieldSelector: `spec.nodeName=${node}` }) },
    agentOf,
  );
  const namespaces = [...new Set(found.map((agent) => agent.namespace))].toSorted();
  if (namespaces.length > 1)
    throw new UserError(
      `pods with the label ${AGENT_LABEL} are in several namespaces: ${namespaces.join(', ')}`,
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

function agentOf(pod: Pod): AgentPod | undefined {
  const node = pod.spec?.nodeName;
  if (!node) return undefined;
  const { namespace = '', name = '' } = pod.metadata ?? {};
  return { node, namespace, pod: name, trouble: troubleOf(pod) };
}

function troubleOf({ metadata, status }: Pod): string | undefined {
  const own = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
  if (own?.state?.running) return undefined;
  const init = status?.initContainerStatuses?.find(({ state }) => state && !state.terminated);
  const { waiting, terminated } = own?.state ?? {};
  if (metadata?.deletionTimestamp) return 'the pod is being deleted';
  if (init)
    return `the init container ${init.name} has not ended (${init.state?.waiting?.reason ?? 'running'})`;
  if (waiting) return `the container waits: ${waiting.reason ?? waiting.message ?? 'no reason is given'}`;
  if (terminated) return `the container ended: ${terminated.reason ?? `exit code ${terminated.exitCode}`}`;
  return `the pod is ${status?.reason ?? status?.phase ?? 'in an unknown phase'}`;
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
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const found = await client.find<Pod>({ path });
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
