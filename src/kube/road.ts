import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import { AGENT_CONTAINER, type AgentPod, findAgent } from './agents.ts';
import { KubeClient } from './client.ts';
import { execDuplex } from './exec.ts';
import { relayCommand, relayFault } from './relay.ts';

/** The way to the sockets of the agent that `globals.elsewhere` names. The agent is looked up once. */
export async function openRoad(ctx: Context): Promise<Dial> {
  const { elsewhere } = ctx.globals;
  if (!elsewhere) throw new Error('no agent of a cluster was named');
  const { kubeconfig, context, namespace, as, asGroups, target } = elsewhere;
  const client = await KubeClient.open({
    env: ctx.env,
    signal: ctx.signal,
    timeoutMs: ctx.globals.timeoutMs,
    kubeconfig,
    context,
    as: { user: as, groups: asGroups },
  });
  return relayTo(client, await findAgent(client, target, namespace));
}

/** Opens unix sockets within an agent's container. */
export function relayTo(client: KubeClient, agent: AgentPod): Dial {
  return async (path, signal) => {
    const { namespace, pod } = agent;
    const target = { namespace, pod, container: AGENT_CONTAINER, command: relayCommand(path) };
    const stream = await execDuplex(client, target, relayFault).catch((error: unknown) => {
      throw named(error, agent);
    });
    signal?.addEventListener('abort', () => void stream.destroy(signal.reason), { once: true });
    return stream;
  };
}

/** Says of which node an error is. */
function named(error: unknown, { node }: AgentPod): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(`node ${node}: ${error.message}`, { hint: error.hint, cause: error });
}
