import type { Command } from 'commander';
import { type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { type HelmFlags, helmFlags } from '../../cli/helm/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { DISABLE_VALUES } from '../../cluster/clustermesh/enable.ts';
import type { Context } from '../../context.ts';
import { openCluster } from '../../kube/road.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { applySteps } from './apply.ts';
import { readMember } from './members.ts';

type DisableFlags = HelmFlags & WriteOptions;

/** Declares `clustermesh disable`. */
export function addClustermeshDisableCommand(command: Command, ctx: Context): void {
  writeFlags(helmFlags(command))
    .addHelpText(
      'after',
      examples('cilium clustermesh disable --context cluster1', 'cilium clustermesh disable --dry-run'),
    )
    .action((flags: DisableFlags) => runDisable(flags, ctx));
}

/** Takes the server that others connect to out of the release of a cluster, and the clusters that it is connected to. */
export async function runDisable(flags: DisableFlags, ctx: Context): Promise<void> {
  await disable(flags, ctx).catch(unable('Unable to disable ClusterMesh'));
}

async function disable(flags: DisableFlags, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const member = await readMember(client, undefined, 'target', flags, ctx);
  const known = [...member.known.keys()];
  if (known.length > 0)
    await ctx.err.write(
      `Warning: ${sanitizeCell(known.join(', '))} may still be connected to this cluster, and will look for it: clustermesh disconnect tells them\n`,
    );
  const what = `disable ClusterMesh in cluster ${sanitizeCell(member.title)}`;
  await applySteps([{ ...member, values: DISABLE_VALUES }], what, flags, ctx);
}
