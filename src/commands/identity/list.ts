import type { Command } from 'commander';
import { sortById } from '../../agent/decode/endpoints.ts';
import {
  decodeIdentities,
  decodeIdentityEndpoints,
  listPods,
  sortByIdentity,
} from '../../agent/decode/identities.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { identityEndpointsTable, identityTable } from '../../render/agent/identity.ts';

interface IdentityListOptions extends OutputFlag, WatchFlags {
  endpoints?: boolean;
  pods?: boolean;
}

/** Declares `identity list`. */
export function addIdentityListCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium identity list k8s:app=web', 'cilium identity list --pods'))
    .argument('[labels...]', 'only the identity with these labels')
    .option('--endpoints', 'List identities of locally managed endpoints')
    .option('--pods', 'Show which pods of this node have each identity')
    .addOption(outputOption())
    .action((labels: string[], options: IdentityListOptions) =>
      options.endpoints ? listUsed(options, ctx) : listAll(labels, options, ctx),
    );
  addWatchOptions(command);
}

async function listAll(labels: string[], options: IdentityListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const what =
    labels.length > 0
      ? `Cannot get identities for given labels [${labels.join(' ')}]. err`
      : 'Cannot get identities. err';
  const fetch = () => agent.get('/identity', labels.length > 0 ? { body: labels } : {}).catch(failed(what));
  if (options.output) return writeStructured(ctx, options.output, sortById(await fetch()), 'Identity[]');
  await printList(ctx, options, async () => {
    const rows = decodeIdentities('GET /identity', await fetch());
    if (!options.pods) return identityTable(rows);
    const { byIdentity } = await listPods(agent);
    return identityTable(rows.map((row) => ({ ...row, pods: byIdentity.get(row.id) ?? [] })));
  });
}

async function listUsed(options: IdentityListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/identity/endpoints').catch(failed('Cannot get identities. err'));
  if (options.output)
    return writeStructured(ctx, options.output, sortByIdentity(await fetch()), 'IdentityEndpoints[]');
  await printList(ctx, options, async () => {
    const rows = decodeIdentityEndpoints(await fetch());
    if (!options.pods) return identityEndpointsTable(rows);
    const { byIdentity } = await listPods(agent);
    return identityTable(rows.map((row) => ({ ...row, pods: byIdentity.get(row.id) ?? [] })));
  });
}
