import type { Cluster, Context, Everywhere } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import { compareNatural } from '../lib/order.ts';
import { AGENT_CONTAINER, type AgentPlace, findAgent, listAgents, type Stop } from './agents.ts';
import { KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { listAll } from './pages.ts';
import { dialWithin } from './relay.ts';
import { serverAnswers } from './restart.ts';

/** The way to the sockets of the agent that `globals.elsewhere` names. */
export async function openRoad(ctx: Context): Promise<Dial> {
  const { elsewhere } = ctx.globals;
  if (!elsewhere) throw new Error('no agent of a cluster was named');
  const client = await clientFor(ctx, elsewhere);
  const find = () => findAgent(client, elsewhere.target, elsewhere.namespace);
  return roadTo(client, await find(), find);
}

/** The ways to all agents of a cluster. */
export interface Roads {
  /** In the order of the nodes. A node without an agent that runs says why. */
  stops: Stop[];
  /** Resolves when the API server answers, and rejects when it has not for so long. */
  answers(limitMs: number): Promise<void>;
}

/** Opens the ways to all agents of a cluster. */
export async function openRoads(ctx: Context, everywhere: Everywhere): Promise<Roads> {
  const { namespace, selector } = everywhere;
  const client = await clientFor(ctx, everywhere);
  const nameOf = ({ metadata }: KubeObject) => metadata?.name;
  const [nodes, agents] = await Promise.all([
    listAll<KubeObject, string>(client, '/api/v1/nodes', { labelSelector: selector }, nameOf),
    listAgents(client, { namespace }),
  ]);
  const byNode = new Map(agents.map((agent) => [agent.node, agent]));
  const stops = nodes.toSorted(compareNatural).map((node): Stop => {
    const agent = byNode.get(node);
    if (!agent) return { node, trouble: 'no agent of Cilium runs there' };
    const { pod, trouble } = agent;
    if (trouble !== undefined) return { node, pod, trouble };
    return { node, pod, dial: roadTo(client, agent, () => findAgent(client, { node }, namespace)) };
  });
  return { stops, answers: (limitMs) => serverAnswers(client, limitMs) };
}

/** The API server of the cluster that the command line names. The caller disposes of it. */
export function openCluster(ctx: Context): Promise<KubeClient> {
  return clientFor(ctx, ctx.globals.cluster ?? {});
}

/** The way to the agent in a pod that is known. */
export function openRoadTo(client: KubeClient, { node, namespace, pod }: AgentPlace): Dial {
  const agent = { node, namespace, pod };
  return roadTo(client, agent, () => findAgent(client, { node }, namespace));
}

/** The client lives as long as the process, which its idle connections do not hold. */
function clientFor(ctx: Context, cluster: Cluster): Promise<KubeClient> {
  const { kubeconfig, context, as, asGroups } = cluster;
  return KubeClient.open({
    env: ctx.env,
    signal: ctx.signal,
    timeoutMs: ctx.globals.timeoutMs,
    kubeconfig,
    context,
    as: { user: as, groups: asGroups },
  });
}

/** Opens unix sockets within an agent's container. The agent is looked up again when its pod has been replaced. */
function roadTo(client: KubeClient, first: AgentPlace, find: () => Promise<AgentPlace>): Dial {
  let agent = first;
  const dial: Dial = (path, signal) =>
    dialWithin(client, { ...agent, container: AGENT_CONTAINER }, path, signal).catch((error: unknown) => {
      throw named(error, agent);
    });
  return async (path, signal) => {
    try {
      return await dial(path, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
      agent = await find();
      return dial(path, signal);
    }
  };
}

/** Whether the pod that was asked is there no longer. */
function isGone(error: unknown): boolean {
  return error instanceof UserError && error.cause instanceof KubeRefusal && error.cause.code === 404;
}

/** Says of which node an error is. */
function named(error: unknown, { node }: AgentPlace): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(`node ${node}: ${error.message}`, { hint: error.hint, cause: error });
}
