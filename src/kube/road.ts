import { dialRecorded } from '../archive/agent-socket.ts';
import { NotCollected } from '../archive/not-collected.ts';
import type { Recording } from '../archive/recording.ts';
import type { Cluster, Context, Elsewhere, Everywhere } from '../context.ts';
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
  const { elsewhere, archive } = ctx.globals;
  if (archive) {
    const place = elsewhere ? await agentIn(ctx, elsewhere) : await soleAgent(ctx);
    ctx.globals.collectedMs = (await archive.agent(place))?.collectedMs;
    return recordedRoad(archive, place);
  }
  if (!elsewhere) throw new Error('no agent of a cluster was named');
  const client = await clientFor(ctx, elsewhere);
  const find = () => findAgent(client, elsewhere.target, elsewhere.namespace);
  return roadTo(client, await find(), find);
}

/** The agent that an archive is asked for. One that did not run may have been asked before. */
export async function agentIn(ctx: Context, { target, namespace }: Elsewhere): Promise<AgentPlace> {
  const { archive } = ctx.globals;
  if ('node' in target) {
    // Where no list tells the node of a pod, the pod stands for it.
    const isNamed = archive?.fileOf('k8s-pods') !== undefined;
    const own = (await archive?.agents())?.find(({ node, pod }) =>
      node === '' && !isNamed ? pod === target.node : node === target.node,
    );
    if (own) return own;
  }
  return await findAgent(await clientFor(ctx, {}), target, namespace);
}

/** The only agent that an archive has. Throws UserError where there are several, or none. */
export async function soleAgent(ctx: Context): Promise<AgentPlace> {
  const { archive } = ctx.globals;
  const agents = (await archive?.agents()) ?? [];
  const [only, second] = agents;
  const label = archive?.label ?? '';
  if (!only)
    throw new NotCollected(`${label} holds nothing of any agent`, {
      hint: 'Its lists of objects can be read: status, endpoint list --cluster, policy get …',
    });
  if (!second) return only;
  // Of an archive of the reference the pods tell the nodes.
  const nodes = only.node === '' ? await nodesOf(ctx) : agents.map(({ node }) => node);
  const some = nodes.length <= 5 ? nodes.join(', ') : `${nodes.slice(0, 5).join(', ')} …`;
  throw new UserError(`${label} has the agents of ${agents.length} nodes: which one is meant?`, {
    hint: `Name it with --node (${some}), or ask all with --all-nodes.`,
  });
}

async function nodesOf(ctx: Context): Promise<string[]> {
  const agents = await listAgents(await clientFor(ctx, {}), { namespace: ctx.globals.cluster?.namespace });
  return agents.map(({ node }) => node).toSorted(compareNatural);
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
  const { archive } = ctx.globals;
  if (archive && selector === undefined && archive.fileOf('k8s-nodes') === undefined) return roadsIn(archive);
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
  if (archive)
    for (const stop of stops) {
      const place = { node: stop.node, namespace: '', pod: stop.pod ?? '' };
      stop.collectedMs = (await archive.agent(place))?.collectedMs;
      if (stop.dial && stop.collectedMs === undefined) stop.trouble = (await noAgent(archive, place)).message;
      if (stop.trouble !== undefined) delete stop.dial;
    }
  return { stops, answers: (limitMs) => serverAnswers(client, limitMs) };
}

/** Of an archive that has agents and not the lists of the cluster. */
async function roadsIn(archive: Recording): Promise<Roads> {
  const agents = await archive.agents();
  const stops = agents.map((agent): Stop => {
    const { node, pod, collectedMs } = agent;
    return { node: node || pod, pod, collectedMs, dial: recordedRoad(archive, agent) };
  });
  return { stops, answers: async () => {} };
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
async function clientFor(ctx: Context, cluster: Cluster): Promise<KubeClient> {
  const { kubeconfig, context, as, asGroups } = cluster;
  const { archive } = ctx.globals;
  if (archive) {
    const { RecordedCluster } = await import('./recorded/cluster.ts');
    const options = { env: ctx.env, signal: ctx.signal, timeoutMs: 0 };
    return KubeClient.ofRecording(new RecordedCluster(archive), options);
  }
  return await KubeClient.open({
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
  if (client.recorded) return recordedRoad(client.recorded.recording, first);
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

/** The way to what an archive has of an agent. */
function recordedRoad(recording: Recording, place: AgentPlace): Dial {
  return async (path, signal) => {
    const agent = await recording.agent(place);
    if (!agent) throw await noAgent(recording, place);
    return await dialRecorded(recording, agent, place.node)(path, signal);
  };
}

/** The error of an agent that nothing was collected of. */
export async function noAgent(recording: Recording, { node, pod }: AgentPlace): Promise<NotCollected> {
  const why = await recording.why({ node });
  const named = node === '' ? `the agent ${pod}` : `the agent of node ${node}`;
  return new NotCollected(`${recording.label} holds nothing of ${named}${why ? ` (${why.text})` : ''}`, {
    hint: 'It was not asked when the archive was made, or did not answer.',
  });
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
