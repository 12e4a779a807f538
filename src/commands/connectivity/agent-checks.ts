import { connectAgent, DEFAULT_SOCKET } from '../../agent/client.ts';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { fetchClusterHealth } from '../../agent/decode/health.ts';
import { findIdentity } from '../../agent/decode/identities.ts';
import type { World } from '../../cluster/connectivity/plan.ts';
import type { ActionResult } from '../../cluster/connectivity/results.ts';
import type { Suspect } from '../../cluster/connectivity/suspect.ts';
import type { Context } from '../../context.ts';
import { errorMessage } from '../../errors.ts';
import type { AgentPod } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { openRoadTo } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { isHealthyNode } from '../../model/health.ts';

const AT_ONCE = 10;
const AGENT_MS = 5_000;

/** What agents are asked with. */
export interface AgentsAsked {
  client: KubeClient;
  agents: readonly AgentPod[];
  ctx: Context;
}

type Verdict = { ok: true } | { ok: false; failure: string; suspect?: Suspect };

/** Asks agents, several at once, and makes a result of each answer. */
async function askEach(
  { agents, ctx }: AgentsAsked,
  test: string,
  ask: (agent: AgentPod) => Promise<Verdict>,
): Promise<ActionResult[]> {
  const asked = bounded(agents, AT_ONCE, async (agent): Promise<ActionResult> => {
    const begin = performance.now();
    const verdict = await (agent.trouble === undefined
      ? ask(agent)
      : Promise.reject(new Error(agent.trouble))
    ).catch((error: unknown): Verdict => {
      ctx.signal.throwIfAborted();
      return { ok: false, failure: `the agent of node ${agent.node} was not asked: ${errorMessage(error)}` };
    });
    return {
      name: `${test}/${agent.node}`,
      path: '',
      expected: 'Allow',
      ...verdict,
      warnings: [],
      ms: Math.round(performance.now() - begin),
    };
  });
  return Promise.all(asked);
}

/** Whether every agent reaches every node, as the agents' own probes tell. */
export function checkHealth(asked: AgentsAsked, test: string): Promise<ActionResult[]> {
  const { client, ctx } = asked;
  return askEach(asked, test, async (agent) => {
    const dial = openRoadTo(client, agent);
    const here = { env: {}, signal: ctx.signal, globals: { elsewhere: true }, dial };
    const { nodes } = await fetchClusterHealth(here, AGENT_MS);
    const bad = nodes.filter((node) => !isHealthyNode(node)).map(({ name }) => name);
    if (bad.length === 0) return { ok: true };
    const others = bad.filter((name) => name.split('/').at(-1) !== agent.node);
    const failure = `the agent of node ${agent.node} does not reach ${bad.join(', ')}`;
    if (others.length === 0) return { ok: false, failure };
    return {
      ok: false,
      failure,
      suspect: {
        area: 'node-to-node',
        sentence: `Node-to-node: the agent of node ${agent.node} probes ${others.join(', ')} without an answer.`,
        because: [],
      },
    };
  });
}

/** Whether each test pod has an endpoint that is ready, and whether all agents know its identity. */
export async function checkIdentities(
  asked: AgentsAsked,
  world: World,
  test: string,
): Promise<ActionResult[]> {
  const { client, ctx } = asked;
  const agentOf = (agent: AgentPod) =>
    connectAgent(`unix://${DEFAULT_SOCKET}`, ctx.signal, {
      timeoutMs: AGENT_MS,
      dial: openRoadTo(client, agent),
    });
  const identities = new Map<string, number>();
  const nodes = new Set(world.pods.map(({ node }) => node));
  const local = asked.agents.filter(({ node }) => nodes.has(node));
  const endpoints = await askEach({ ...asked, agents: local }, `${test}/endpoints`, async (agent) => {
    const rows = (await listEndpoints(agentOf(agent))).decode();
    const faults: string[] = [];
    for (const { pod, namespace } of world.pods.filter(({ node }) => node === agent.node)) {
      const row = rows.find((one) => one.pod === pod && one.namespace === namespace);
      if (!row) faults.push(`${namespace}/${pod} has no endpoint`);
      else if (row.state !== 'ready')
        faults.push(`the endpoint of ${namespace}/${pod} is ${row.state ?? 'without a state'}`);
      else if (row.identity === undefined) faults.push(`the endpoint of ${namespace}/${pod} has no identity`);
      else identities.set(`${namespace}/${pod}`, row.identity);
    }
    return faults.length === 0
      ? { ok: true }
      : { ok: false, failure: `node ${agent.node}: ${faults.join('; ')}` };
  });
  const known = await askEach(asked, `${test}/identities`, async (agent) => {
    const missing: string[] = [];
    for (const [pod, id] of identities)
      await findIdentity(agentOf(agent), String(id)).catch((error: unknown) => {
        ctx.signal.throwIfAborted();
        missing.push(`${id} of ${pod}: ${errorMessage(error)}`);
      });
    return missing.length === 0
      ? { ok: true }
      : {
          ok: false,
          failure: `the agent of node ${agent.node} does not know identity ${missing.join(', ')}`,
        };
  });
  return [...endpoints, ...known];
}
