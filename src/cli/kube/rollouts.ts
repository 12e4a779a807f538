import { AGENT_TAINT, TAINT_OPTION } from '../../cluster/consistency.ts';
import { blockingPod, isDone } from '../../cluster/rollout.ts';
import { COMPONENT } from '../../cluster/status.ts';
import type { Context } from '../../context.ts';
import { errorMessage, isUnreachable, UserError } from '../../errors.ts';
import { listAgents } from '../../kube/agents.ts';
import { type KubeClient, KubeRefusal, wordsOf } from '../../kube/client.ts';
import { readConfigMap } from '../../kube/config-map.ts';
import { listNodeFacts } from '../../kube/inventory.ts';
import { lastWarning, readRevisions } from '../../kube/revisions.ts';
import { readRecentLog } from '../../kube/workloads.ts';
import type { Rollout, RolloutPod } from '../../model/cluster.ts';
import { type Held, renderRollouts, rolloutDocument } from '../../render/cluster/rollout.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

const WORKLOADS: readonly [Rollout['type'], string][] = [
  ['DaemonSet', COMPONENT.agent],
  ['DaemonSet', COMPONENT.envoy],
  ['Deployment', COMPONENT.operator],
  ['Deployment', COMPONENT.relay],
  ['Deployment', COMPONENT.ui],
  ['Deployment', COMPONENT.clusterMesh],
];
const FORBIDDEN = 403;
/** Between two looks while it is waited. */
const RETRY_MS = 2000;
const LOG_LINES = 5;
/** What the kubelet writes before each line. */
const KUBELET_TIME = /^\d{4}-\S+Z /;
const LOG_SINCE_MS = 600_000;

/** What one look shows. */
export interface RolloutView {
  text: string;
  document: object;
  /** Whether all has come to its end, as far as it may be seen: `hidden` lacks a workload, `unsure` lacks taints. */
  state: 'done' | 'open' | 'hidden' | 'unsure';
  /** What could not be seen, one sentence each. */
  notes: string[];
}

/** The roll-outs as text and as a document. A workload that may not be read is left out with a note. */
export async function lookAtRollouts(
  client: KubeClient,
  namespace: string,
  ctx: Context,
): Promise<RolloutView> {
  const notes: string[] = [];
  const refusals: KubeRefusal[] = [];
  const read = async ([type, name]: (typeof WORKLOADS)[number]): Promise<Rollout | undefined> => {
    try {
      const found = await readRevisions(client, namespace, type, name);
      if (found?.untold !== undefined)
        notes.push(`Note: of ${type} ${name} templates are not known, and the image tells: ${found.untold}`);
      return found?.rollout;
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === FORBIDDEN)) throw error;
      refusals.push(error);
      notes.push(`Not shown: ${type} ${name}: ${wordsOf(error)}`);
      return undefined;
    }
  };
  const found = await Promise.all(WORKLOADS.map(read));
  const rollouts = found.filter((each) => each !== undefined);
  if (rollouts.length === 0)
    throw (
      refusals[0] ??
      new UserError(`no workload of Cilium is in the namespace ${namespace}`, {
        hint: 'Name the one that Cilium is installed in: --namespace.',
      })
    );
  const held = new Map<Rollout, Held>();
  await Promise.all(
    rollouts.map(async (rollout) => {
      const pod = blockingPod(rollout);
      if (pod) held.set(rollout, await whyHeld(client, namespace, pod, ctx));
    }),
  );
  const taints = await leftTaints(client, namespace, ctx);
  if (taints.nodes === undefined) notes.push(`Whether taints are left is not known: ${taints.why}`);
  const isOpen = !rollouts.every(isDone) || (taints.nodes ?? []).length > 0;
  return {
    text: renderRollouts(rollouts, held, taints, ctx.clock.nowMs()),
    document: rolloutDocument(rollouts, held, taints),
    state: isOpen ? 'open' : refusals.length > 0 ? 'hidden' : taints.nodes === undefined ? 'unsure' : 'done',
    notes: notes.toSorted(),
  };
}

async function whyHeld(client: KubeClient, namespace: string, pod: RolloutPod, ctx: Context): Promise<Held> {
  const { name, node, trouble = '', container } = pod;
  const notes: string[] = [];
  const attempt = async <T>(what: string, part: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await part();
    } catch (error) {
      ctx.signal.throwIfAborted();
      notes.push(`${what}: ${wordsOf(error)}`);
      return undefined;
    }
  };
  const event = await attempt('its events cannot be read', () => lastWarning(client, namespace, name));
  const sinceTime = new Date(ctx.clock.nowMs() - LOG_SINCE_MS).toISOString();
  const read = (previous: boolean) =>
    readRecentLog(client, { namespace, name }, { container, sinceTime, previous });
  // A container that fails again and again has said why in its last run.
  const log = await attempt('its log cannot be read', () => read(true).catch(() => read(false)));
  const lines = (log ?? '').split('\n').filter((line) => line.trim() !== '');
  return {
    pod: name,
    node,
    trouble,
    event,
    container,
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
    return { why: wordsOf(error) };
  }
}

/** What could not be seen, for stderr. */
export function notesOf({ notes }: RolloutView): string {
  return notes.map((note) => `${sanitizeCell(note)}\n`).join('');
}

/** Looks until all is done or no look more would help, and at the latest until the time is up. */
export async function waitForEnd(
  look: () => Promise<RolloutView>,
  waitMs: number,
  ctx: Context,
): Promise<RolloutView> {
  const until = ctx.clock.nowMs() + waitMs;
  let last = await look();
  let lost = false;
  while (last.state === 'open' && ctx.clock.nowMs() + RETRY_MS <= until) {
    await ctx.clock.sleep(RETRY_MS, ctx.signal);
    try {
      last = await look();
      if (lost) await ctx.err.write('The API server answers again.\n');
      lost = false;
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!isUnreachable(error)) throw error;
      if (!lost) await ctx.err.write(`${sanitizeCell(errorMessage(error))}\nStill waiting.\n`);
      lost = true;
    }
  }
  return last;
}
