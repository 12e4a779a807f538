import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Dial } from '../lib/dial.ts';
import { AGENT_CONTAINER, type AgentPod, findAgent } from './agents.ts';
import { KubeClient, KubeRefusal } from './client.ts';
import { dialWithin } from './relay.ts';

/**
 * The way to the sockets of the agent that `globals.elsewhere` names. The agent is looked up once, and again when its pod
 * has been replaced. The client lives as long as the process, which its idle connections do not hold.
 */
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
  let agent = await findAgent(client, target, namespace);
  const dial: Dial = (path, signal) =>
    dialWithin(client, { ...agent, container: AGENT_CONTAINER }, path, signal).catch((error: unknown) => {
      throw named(error, agent);
    });
  return async (path, signal) => {
    try {
      return await dial(path, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
      agent = await findAgent(client, target, namespace);
      return dial(path, signal);
    }
  };
}

/** Whether the pod that was asked is there no longer. */
function isGone(error: unknown): boolean {
  return error instanceof UserError && error.cause instanceof KubeRefusal && error.cause.code === 404;
}

/** Says of which node an error is. */
function named(error: unknown, { node }: AgentPod): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(`node ${node}: ${error.message}`, { hint: error.hint, cause: error });
}
