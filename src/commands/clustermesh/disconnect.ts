import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { clusterValues, withoutClusters } from '../../cluster/clustermesh/values.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { ConnectionMode } from '../../model/connection-mode.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { applySteps, type Step } from './apply.ts';
import { addMeshFlags, type Member, type MeshFlags, modeOf, openMembers, readMember } from './members.ts';

const WHAT = 'Unable to disconnect clusters';

/** Declares `clustermesh disconnect`. */
export function addClustermeshDisconnectCommand(command: Command, ctx: Context): void {
  addMeshFlags(command)
    .addHelpText(
      'after',
      examples(
        'cilium clustermesh disconnect --context cluster1 --destination-context cluster2',
        'cilium clustermesh disconnect --destination-context cluster2,cluster3 --connection-mode mesh --dry-run',
      ),
    )
    .action((flags: MeshFlags) => runDisconnect(flags, ctx));
}

/** Takes clusters out of each other's releases. */
export async function runDisconnect(flags: MeshFlags, ctx: Context): Promise<void> {
  if (flags.destinationContext.length === 0)
    throw new UserError(
      `${WHAT}: no destination context specified, use --destination-context to specify which cluster to disconnect from`,
    );
  const mode = await modeOf(flags.connectionMode, WHAT, ctx);
  await disconnect(flags, mode, ctx).catch(unable(WHAT));
}

async function disconnect(flags: MeshFlags, mode: ConnectionMode, ctx: Context): Promise<void> {
  await using opened = await openMembers(flags, ctx);
  const local = await readMember(opened.local, undefined, 'target', flags, ctx);
  const remotes: Member[] = [];
  for (const { context, client } of opened.remotes)
    remotes.push(await readMember(client, context, 'remote', flags, ctx));
  const steps = await stepsOf(local, remotes, mode, ctx);
  const names = remotes.map(({ title }) => sanitizeCell(title));
  const what = `disconnect cluster ${sanitizeCell(local.title)} from ${names.join(', ')} (${mode}), by upgrading ${steps.length} Helm releases`;
  if (!(await applySteps(steps, what, flags, ctx))) return;
  if (mode === 'mesh')
    return await ctx.out.write(
      `✅ Disconnected clusters ${remotes.map(({ title }) => title).join(', ')}, and ${local.title}!\n`,
    );
  const sign = mode === 'unicast' ? 'x>' : '<x>';
  for (const { title } of remotes)
    await ctx.out.write(`✅ Disconnected clusters ${local.title} ${sign} ${title}!\n`);
}

/** What becomes of each release; the local one first. */
async function stepsOf(
  local: Member,
  remotes: readonly Member[],
  mode: ConnectionMode,
  ctx: Context,
): Promise<Step[]> {
  const step = async (member: Member, others: readonly Member[]): Promise<Step> => {
    const names = others.map(nameOf);
    const { known, release, title } = member;
    const strange = names.filter((name) => !known.has(name));
    if (strange.length > 0)
      await ctx.err.write(
        `Note: the release of cluster ${sanitizeCell(title)} does not name ${sanitizeCell(strange.join(', '))}\n`,
      );
    const values = clusterValues(withoutClusters(known, names), release.chartVersion);
    const line = `ℹ️ Configuring Cilium in cluster ${title} to disconnect from cluster ${others.map((one) => one.title).join(',')}`;
    return { ...member, values, line };
  };
  const steps = [await step(local, remotes)];
  if (mode === 'unicast') return steps;
  for (const remote of remotes) {
    const others = mode === 'mesh' ? [...remotes.filter((other) => other !== remote), local] : [local];
    steps.push(await step(remote, others));
  }
  return steps;
}

/** The name that others know a cluster by. */
function nameOf({ config }: Member): string {
  for (const key of ['cluster-id', 'cluster-name'])
    if (config[key] === undefined)
      throw new UserError(`unable to locate key: "${key}" in ConfigMap "cilium-config"`);
  return config['cluster-name'] ?? '';
}
