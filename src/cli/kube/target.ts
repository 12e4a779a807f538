import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { agentAddress } from '../../agent/client.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { CLUSTER_GLOBALS } from '../global-flags.ts';
import type { OutputFlag } from '../output.ts';

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
  const { host, elsewhere, cluster: named, archive } = ctx.globals;
  if (agent && cluster) throw new UserError('--agent and --cluster cannot be used together');
  if (cluster && (elsewhere || host))
    throw new UserError('--cluster asks the API server: --node, --pod and --host name an agent');
  if (agent || cluster) return cluster === true;
  if (elsewhere || host) return false;
  // What is named comes before where one happens to be.
  if (archive) return true;
  if (ctx.env.CILIUM_SOCK) return false;
  const target = ctx.env.CILIUM_TARGET ?? '';
  if (!['', 'agent', 'cluster'].includes(target))
    throw new UserError(`CILIUM_TARGET is "${target}": expected agent or cluster`);
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

/** Flags of a list that a cluster has, and perhaps an agent too. */
export interface ClusterListFlags extends TargetOptions, OutputFlag {
  allNamespaces?: boolean;
  selector?: string;
}

/** The flag of the family with what it means to a verb that has objects of a cluster too. */
export function objectsNamespace(): Option {
  return new Option(
    '-n, --namespace <name>',
    "Namespace of the objects (default: of the kubeconfig's context), or that Cilium is installed in",
  ).helpGroup(CLUSTER_GLOBALS.title);
}

/** Adds the flags of a cluster's list to those of an agent's. */
export function addClusterListFlags(command: Command): Command {
  command
    .optionsGroup('Flags for a cluster:')
    .addOption(
      new Option('--agent', 'List what an agent knows: of this machine, or the one that --node names'),
    )
    .addOption(new Option('--cluster', 'List the objects of the cluster'))
    .addOption(new Option('-A, --all-namespaces', 'List the objects of all namespaces'))
    .addOption(objectsNamespace());
  if (!command.options.some(({ long }) => long === '--selector'))
    command.addOption(
      new Option('-l, --selector <labels>', 'Only objects with these labels, such as app=web'),
    );
  return command;
}

/** Whether a list is about the cluster's objects. */
export function meansObjects(
  { agent, cluster, allNamespaces }: ClusterListFlags,
  ctx: Context,
): Promise<boolean> {
  return isClusterMeant(
    { ...(agent && { agent }), ...((cluster || allNamespaces) && { cluster: true }) },
    ctx,
  );
}
