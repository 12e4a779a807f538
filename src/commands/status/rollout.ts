import { AGENT_TAINT } from '../../cluster/consistency.ts';
import { blockingPod, isDone } from '../../cluster/rollout.ts';
import { COMPONENT } from '../../cluster/status.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { listAgents } from '../../kube/agents.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { readConfigMap } from '../../kube/config-map.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { listNodeFacts } from '../../kube/inventory.ts';
import { lastWarning, readRevisions } from '../../kube/revisions.ts';
import { openCluster } from '../../kube/road.ts';
import { readLog } from '../../kube/workloads.ts';
import type { Rollout } from '../../model/cluster.ts';
import { type Held, renderRollouts, rolloutDocument } from '../../render/cluster/rollout.ts';
import { goJson } from '../../render/text/json.ts';
import { TAINT_OPTION } from './consistency.ts';
import type { StatusOptions } from './options.ts';

const WORKLOADS: readonly [Rollout['type'], string][] = [
  ['DaemonSet', COMPONENT.agent],
  ['DaemonSet', COMPONENT.envoy],
  ['Deployment', COMPONENT.operator],
  ['Deployment', COMPONENT.relay],
  ['Deployment', COMPONENT.ui],
  ['Deployment', COMPONENT.clusterMesh],
];
const LOG_LINES = 5;
/** What the kubelet writes before each line. */
const KUBELET_TIME = /^\d{4}-\S+Z /;
const LOG_SINCE_MS = 600_000;

/** Prints which template and image each pod of Cilium is of, and what a roll-out waits for. */
export async function runRollout(options: StatusOptions, ctx: Context): Promise<void> {
  const { output, watch, interval } = options;
  if (watch && output === 'json')
    throw new UserError('--watch shows a text: it cannot be combined with -o json');
  if (!['', 'summary', 'json'].includes(output))
    throw new UserError(`-o ${output} is not a form of --rollout: there are summary and json`);
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  if (watch) {
    const { watchText } = await import('../../cli/watch.ts');
    const look = async () => (await lookAtRollouts(client, namespace, ctx)).text;
    return await watchText(ctx, interval, look, 'The API server');
  }
  const { text, document, done } = await lookAtRollouts(client, namespace, ctx);
  await ctx.out.write(output === 'json' ? `${goJson(document, 1)}\n` : text);
  if (!done) ctx.exitCode = 1;
}

/** The roll-outs as text and as a document, and whether all of them have come to their end. */
export async function lookAtRollouts(
  client: KubeClient,
  namespace: string,
  ctx: Context,
): Promise<{ text: string; document: object; done: boolean }> {
  const found = await Promise.all(
    WORKLOADS.map(([type, name]) => readRevisions(client, namespace, type, name)),
  );
  const rollouts = found.filter((each) => each !== undefined);
  if (rollouts.length === 0)
    throw new UserError(`no workload of Cilium is in the namespace ${namespace}`, {
      hint: 'Name the one that Cilium is installed in: --namespace.',
    });
  const held = new Map<Rollout, Held>();
  await Promise.all(
    rollouts.map(async (rollout) => {
      const pod = blockingPod(rollout);
      if (pod)
        held.set(rollout, await whyHeld(client, namespace, { ...pod, container: rollout.container }, ctx));
    }),
  );
  const taints = await leftTaints(client, namespace, ctx);
  const now = ctx.clock.nowMs();
  return {
    text: renderRollouts(rollouts, held, taints, now),
    document: rolloutDocument(rollouts, held, taints),
    done: rollouts.every(isDone) && taints.nodes?.length === 0,
  };
}

async function whyHeld(
  client: KubeClient,
  namespace: string,
  pod: { name: string; node: string; trouble: string | undefined; container: string },
  ctx: Context,
): Promise<Held> {
  const { name, node, trouble = '', container } = pod;
  const notes: string[] = [];
  const attempt = async <T>(what: string, part: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await part();
    } catch (error) {
      ctx.signal.throwIfAborted();
      notes.push(`${what}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const event = await attempt('its events cannot be read', () => lastWarning(client, namespace, name));
  const sinceTime = new Date(ctx.clock.nowMs() - LOG_SINCE_MS).toISOString();
  const read = (previous: boolean) =>
    readLog(client, { namespace, name }, { container, sinceTime, previous });
  // A container that fails again and again has said why in its last run.
  const log = await attempt('its log cannot be read', () => read(true).catch(() => read(false)));
  const lines = (log ?? '').split('\n').filter((line) => line.trim() !== '');
  return {
    pod: name,
    node,
    trouble,
    event,
    log: lines.slice(-LOG_LINES).map((line) => line.replace(KUBELET_TIME, '')),
    notes,
  };
}

/** Nodes that keep pods away for an agent that is ready. */
async function leftTaints(
  client: KubeClient,
  namespace: string,
  ctx: Context,
): Promise<{ nodes?: string[]; why?: string }> {
  try {
    const [nodes, agents, { data }] = await Promise.all([
      listNodeFacts(client),
      listAgents(client, { namespace }),
      readConfigMap(client, namespace),
    ]);
    const taint = data[TAINT_OPTION] || AGENT_TAINT;
    const ready = new Set(agents.filter(({ isReady }) => isReady).map(({ node }) => node));
    const left = nodes.filter(({ name, taints }) => ready.has(name) && taints.includes(taint));
    return { nodes: left.map(({ name }) => name) };
  } catch (error) {
    ctx.signal.throwIfAborted();
    return { why: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof KubeRefusal ? (error.status.message ?? error.message) : errorMessage(error);
}
