import { type AgentClient, connectAgent, DEFAULT_SOCKET } from '../../agent/client.ts';
import { NotCollected } from '../../archive/not-collected.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { AGENT_CONTAINER, type AgentPlace, type AgentPod, listAgents } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { byAgentProgram, ExecNotStarted, exec } from '../../kube/exec.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openRoadTo } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { parseJson } from '../../lib/exact-json.ts';
import { compareBytes } from '../../lib/order.ts';

/** Which agents are asked, and how long all of it may take. */
export interface EachAgent {
  node?: string | undefined;
  /** Label of the agents' pods, where it is another one than usual. */
  selector?: string | undefined;
  waitMs: number;
}

/** What an agent said. */
export interface Said<T> {
  node: string;
  pod: string;
  value: T;
}

/** An agent that could not be asked, or not understood. */
export interface Silent {
  node: string;
  pod: string;
  why: string;
}

const CONCURRENCY = 10;
/** What one agent prints, all of which is held. */
const MAX_PRINTED = 64 * 1024 * 1024;

/** Asks the agents of a cluster, several at once; answers are in the order of their nodes. */
export async function askEach<T>(
  client: KubeClient,
  { node, selector, waitMs }: EachAgent,
  ask: (agent: AgentPod, signal: AbortSignal) => Promise<T>,
  ctx: Context,
): Promise<{ said: Said<T>[]; silent: Silent[] }> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const agents = await listAgents(client, { namespace, node, selector });
  if (agents.length === 0)
    throw new UserError(
      `no agent of Cilium was found${node === undefined ? '' : ` on node ${node}`} in the namespace ${namespace}`,
      { hint: `No pod there has the label ${selector ?? 'k8s-app=cilium'}; another namespace: --namespace.` },
    );
  return await askPods(agents, waitMs, ask, ctx);
}

/** The same of pods that are known. */
export async function askPods<P extends AgentPod, T>(
  pods: readonly P[],
  waitMs: number,
  ask: (pod: P, signal: AbortSignal) => Promise<T>,
  ctx: Context,
): Promise<{ said: Said<T>[]; silent: Silent[] }> {
  const deadline = AbortSignal.timeout(waitMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  const said: Said<T>[] = [];
  const silent: Silent[] = [];
  const one = async (place: P) => {
    const { node, pod, trouble } = place;
    try {
      if (trouble !== undefined) throw new UserError(trouble);
      if (deadline.aborted) throw new UserError('not asked any more');
      said.push({ node, pod, value: await ask(place, signal) });
    } catch (error) {
      ctx.signal.throwIfAborted();
      const why = deadline.aborted ? `no answer within ${waitMs / 1000} s` : errorMessage(error);
      silent.push({ node, pod, why });
    }
  };
  await Promise.all(bounded(pods.toSorted(byNode), CONCURRENCY, one));
  return { said: said.toSorted(byNode), silent: silent.toSorted(byNode) };
}

function byNode(a: { node: string }, b: { node: string }): number {
  return compareBytes(a.node, b.node);
}

/**
 * Asks an agent by its socket, or where its image has no perl by its own command line there, of which `argv` is the one
 * that prints the same as JSON.
 */
export async function askAgent<T>(
  client: KubeClient,
  place: AgentPlace,
  {
    ask,
    argv,
    read,
  }: {
    ask: (agent: AgentClient) => Promise<T>;
    argv: readonly string[];
    read: (value: unknown) => T | Promise<T>;
  },
  signal: AbortSignal,
  ctx: Context,
): Promise<T> {
  const transport = ctx.globals.cluster?.transport ?? 'auto';
  if (transport !== 'cli') {
    try {
      const timeoutMs = ctx.globals.timeoutMs;
      const dial = openRoadTo(client, place);
      return await ask(connectAgent(`unix://${DEFAULT_SOCKET}`, signal, { timeoutMs, dial }));
    } catch (error) {
      // An archive of an image without perl has only what that printed.
      const isElsewhere = hasNoPerl(error) || (client.recorded !== undefined && isUncollected(error));
      if (transport === 'relay' || !isElsewhere) throw error;
    }
  }
  return await read(await jsonInPod(client, place, argv, signal));
}

/** Whether an archive does not hold what was asked for. */
export function isUncollected(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof NotCollected) return true;
  return false;
}

function hasNoPerl(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ExecNotStarted && /\bperl\b/.test(cause.message)) return true;
  return false;
}

/** What the agent's own command line printed. */
export interface Printed {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the agent's own command line in its pod. */
export async function runInAgent(
  client: KubeClient,
  { namespace, pod }: AgentPlace,
  argv: readonly string[],
  signal: AbortSignal = client.signal,
): Promise<Printed> {
  const { exitCode, stdout, stderr } = await byAgentProgram((program) => {
    const target = { namespace, pod, container: AGENT_CONTAINER, command: [program, ...argv] };
    return exec(client, target, MAX_PRINTED, signal);
  });
  return { exitCode, stdout: stdout.toString('utf8'), stderr };
}

/** The same for a command line that prints JSON. */
async function jsonInPod(
  client: KubeClient,
  place: AgentPlace,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<unknown> {
  const printed = await runInAgent(client, place, argv, signal);
  if (printed.exitCode !== 0) throw new UserError(reasonOf(printed));
  try {
    return parseJson(printed.stdout);
  } catch (cause) {
    const [first = ''] = printed.stdout.trim().split('\n');
    throw new UserError(
      `\`${argv.join(' ')}\` printed no JSON${first === '' ? '' : `, but: ${first.slice(0, 200)}`}`,
      {
        cause,
      },
    );
  }
}

/** Why a command failed, in its own words where it has some. */
export function reasonOf({ exitCode, stderr, stdout }: Printed): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const said = lines.find((line) => line.startsWith('Error: ')) ?? lines.findLast((line) => line !== '');
  return said?.replace(/^Error: /, '') ?? `exit code ${exitCode}`;
}
