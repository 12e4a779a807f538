import { type Command, Option } from 'commander';
import { type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { type HelmFlags, helmFlags } from '../../cli/helm/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { enableValues, SERVICE_TYPES, type ServiceType } from '../../cluster/clustermesh/enable.ts';
import { type Flavour, flavourOfNames, flavourOfNodes } from '../../cluster/install/flavour.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { clusterNames, nodeLabels } from '../../kube/detect.ts';
import { openCluster } from '../../kube/road.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { applySteps } from './apply.ts';
import { readMember } from './members.ts';

interface EnableFlags extends HelmFlags, WriteOptions {
  serviceType?: string;
  enableKvstoremesh?: boolean;
}

const WHAT = 'Unable to enable ClusterMesh';

/** Declares `clustermesh enable`. */
export function addClustermeshEnableCommand(command: Command, ctx: Context): void {
  writeFlags(helmFlags(command))
    .addOption(
      new Option(
        '--service-type <type>',
        'How the server is reached from outside: LoadBalancer or NodePort (default: as the cloud has it)',
      ),
    )
    .option('--enable-kvstoremesh', 'Cache what remote clusters hold (default: as the chart has it)')
    .addHelpText(
      'after',
      examples(
        'cilium clustermesh enable --service-type LoadBalancer',
        'cilium clustermesh enable --service-type NodePort --enable-kvstoremesh=false --dry-run',
      ),
    )
    .action((flags: EnableFlags) => runEnable(command, flags, ctx));
}

/** Has the release of a cluster run the server that others connect to. */
export async function runEnable(command: Command, flags: EnableFlags, ctx: Context): Promise<void> {
  await enable(command, flags, ctx).catch(unable(WHAT));
}

async function enable(command: Command, flags: EnableFlags, ctx: Context): Promise<void> {
  const { serviceType, enableKvstoremesh } = flags;
  if (serviceType !== undefined && !isServiceType(serviceType))
    throw new UserError(`service type "${serviceType}" is not valid`, {
      hint: `There are ${SERVICE_TYPES.join(' and ')}.`,
    });
  await using client = await openCluster(ctx);
  const flavour = serviceType === undefined ? await flavourOf(client, ctx) : undefined;
  const kvstoremesh =
    command.getOptionValueSource('enableKvstoremesh') === 'cli' ? enableKvstoremesh : undefined;
  const { values, told } = enableValues(serviceType, flavour, kvstoremesh);
  const member = await readMember(client, undefined, 'target', flags, ctx);
  const { 'cluster-id': id = '0', 'cluster-name': name = 'default' } = member.config;
  if (id === '0' || name === 'default')
    await ctx.err.write(
      `Warning: the cluster has the name ${sanitizeCell(name)} and the ID ${sanitizeCell(id)}: before it is connected it needs others (cluster.name, cluster.id)\n`,
    );
  if (told !== undefined) await ctx.out.write(`${told}\n`);
  await applySteps(
    [{ ...member, values }],
    `enable ClusterMesh in cluster ${sanitizeCell(member.title)}`,
    flags,
    ctx,
  );
}

function isServiceType(text: string): text is ServiceType {
  return (SERVICE_TYPES as readonly string[]).includes(text);
}

/** Where names say nothing, labels of nodes may; where those may not be read, nothing does. */
async function flavourOf(client: KubeClient, ctx: Context): Promise<Flavour | undefined> {
  const named = flavourOfNames(clusterNames(client));
  if (named) return named;
  const nodes = await nodeLabels(client);
  if ('value' in nodes) return flavourOfNodes(nodes.value);
  await ctx.err.write(`Note: the labels of nodes cannot be read: ${sanitizeCell(nodes.why)}\n`);
  return undefined;
}
