import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { outputOption } from '../output.ts';
import { addWatchOptions, type WatchFlags } from '../watch.ts';
import { isClusterMeant, type TargetOptions } from './target.ts';

/** Flags of a list that a cluster has, and perhaps an agent too. */
export interface ClusterListFlags extends TargetOptions, WatchFlags {
  allNamespaces?: boolean;
  selector?: string;
  output: string;
}

/** Formats of such a list beside json, yaml and jsonpath. */
export const LIST_FORMATS = ['wide', 'name', 'custom-columns='] as const;

/** Adds the flags of a cluster's list to those of an agent's. */
export function addClusterListFlags(command: Command): Command {
  command
    .optionsGroup('Flags for a cluster:')
    .addOption(
      new Option('--agent', 'List what an agent knows: of this machine, or the one that --node names'),
    )
    .addOption(new Option('--cluster', 'List the objects of the cluster'))
    .addOption(new Option('-A, --all-namespaces', 'List the objects of all namespaces'));
  if (!command.options.some(({ long }) => long === '--selector'))
    command.addOption(
      new Option('-l, --selector <labels>', 'Only objects with these labels, such as app=web'),
    );
  return command;
}

/** Adds the flags of a list that only a cluster has. */
export function addObjectListFlags(command: Command): Command {
  command
    .addOption(outputOption(...LIST_FORMATS))
    .addOption(new Option('-A, --all-namespaces', 'List the objects of all namespaces'))
    .addOption(new Option('-l, --selector <labels>', 'Only objects with these labels, such as app=web'));
  return addWatchOptions(command);
}

/**
 * Whether a list is about the cluster's objects. Throws UsageError where an agent is meant and a flag is for objects;
 * `formats` are those of the agent's list beside the usual ones.
 */
export async function meansObjects(
  flags: ClusterListFlags,
  formats: readonly string[],
  ctx: Context,
): Promise<boolean> {
  const { agent, cluster, allNamespaces, output } = flags;
  const isCluster = await isClusterMeant(
    { ...(agent && { agent }), ...((cluster || allNamespaces) && { cluster: true }) },
    ctx,
  );
  const isForObjects =
    ['wide', 'name'].includes(output) ||
    LIST_FORMATS.some((one) => one.endsWith('=') && output.startsWith(one));
  if (!isCluster && isForObjects && !formats.includes(output))
    throw new UsageError(`-o ${output} is for the objects of a cluster`, {
      hint: 'List those with --cluster; what an agent knows has -o json, yaml and jsonpath.',
    });
  return isCluster;
}
