import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { listIdentities, listPods, listUsedIdentities } from '../../agent/decode/identities.ts';
import { examples } from '../../cli/flags.ts';
import { addClusterListFlags, meansObjects } from '../../cli/kube/target.ts';
import { addListOptions, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import type { IdentityRow } from '../../model/identity.ts';
import { identityEndpointsTable, identityTable } from '../../render/agent/identity.ts';
import type { IdentityListOptions } from './options.ts';

/** Declares `identity list`. */
export function addIdentityListCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium identity list k8s:app=cart',
        'cilium identity list --pods',
        'cilium identity list --unused',
      ),
    )
    .argument('[labels...]', 'only the identity with these labels')
    .option('--endpoints', 'List identities of locally managed endpoints')
    .option('--pods', 'Show which pods of this node have each identity')
    .option('--unused', 'Of a cluster: only identities that no CiliumEndpoint has')
    .addOption(outputOption(...LIST_FORMATS))
    .action(async (labels: string[], options: IdentityListOptions) => {
      if (await meansObjects({ ...options, ...(options.unused && { cluster: true }) }, ctx)) {
        const { listIdentityObjects } = await import('./objects.ts');
        return listIdentityObjects(command, labels, options, ctx);
      }
      await (options.endpoints ? listUsed(options, ctx) : listAll(labels, options, ctx));
    });
  addListOptions(command);
  addClusterListFlags(command);
}

async function listAll(labels: string[], options: IdentityListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const what =
    labels.length > 0
      ? `Cannot get identities for given labels [${labels.join(' ')}]. err`
      : 'Cannot get identities. err';
  const ask = () => listIdentities(agent, { labels });
  await printAnswers(ctx, options, ask, what, async (rows) =>
    identityTable(options.pods ? await withPods(rows, agent) : rows),
  );
}

async function listUsed(options: IdentityListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await printAnswers(ctx, options, listUsedIdentities, 'Cannot get identities. err', async (rows) =>
    options.pods ? identityTable(await withPods(rows, agent)) : identityEndpointsTable(rows),
  );
}

async function withPods(rows: readonly IdentityRow[], agent: AgentClient): Promise<IdentityRow[]> {
  const { byIdentity } = await listPods(agent);
  return rows.map((row) => ({ ...row, pods: byIdentity.get(row.id) ?? [] }));
}
