import { stat } from 'node:fs/promises';
import { agentAddress } from '../../agent/client.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';

/** Flags of a verb that an agent and a cluster have alike. */
export interface TargetOptions {
  agent?: boolean;
  cluster?: boolean;
}

/**
 * Whether a verb is about the whole cluster. What says so, from first to last: its flags; a flag or a variable that names
 * an agent; CILIUM_TARGET; a flag that names a cluster; an agent's socket on this machine; a kubeconfig.
 */
export async function isClusterMeant({ agent, cluster }: TargetOptions, ctx: Context): Promise<boolean> {
  const { host, elsewhere, cluster: named } = ctx.globals;
  if (agent && cluster) throw new UsageError('--agent and --cluster cannot be used together');
  if (cluster && (elsewhere || host))
    throw new UsageError('--cluster asks the API server: --node, --pod and --host name an agent');
  if (agent || cluster) return cluster === true;
  if (elsewhere || host || ctx.env.CILIUM_SOCK) return false;
  const target = ctx.env.CILIUM_TARGET ?? '';
  if (!['', 'agent', 'cluster'].includes(target))
    throw new UsageError(`CILIUM_TARGET is "${target}": expected agent or cluster`);
  if (target !== '') return target === 'cluster';
  if (named?.isNamed) return true;
  if (await isSocket(agentAddress(ctx).replace('unix://', ''))) return false;
  const { hasKubeconfig } = await import('../../kube/config.ts');
  return await hasKubeconfig(ctx.env, undefined);
}

function isSocket(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
