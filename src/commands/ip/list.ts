import { type Command, Option } from 'commander';
import { listIps, listPods } from '../../agent/decode/identities.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { ipTable } from '../../render/agent/identity.ts';
import { nameIdentities } from './names.ts';

interface IpListOptions extends ListFlags {
  numeric?: boolean;
  verbose?: boolean;
  pods?: boolean;
}

/** Declares `ip list`. */
export function addIpListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium ip list', 'cilium ip list --pods', 'cilium ip list --numeric -o json'),
  );
  command
    .addOption(new Option('-n, --numeric', 'Print numeric identities'))
    .addOption(new Option('-v, --verbose', 'Print all fields of ipcache'))
    .addOption(new Option('--pods', 'Show the pod that has each address'))
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: IpListOptions) => runIpList(options, ctx));
  addListOptions(command);
}

async function runIpList(options: IpListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await printAnswers(ctx, options, listIps, 'Cannot get ipcache entries. err', async (entries) => {
    let rows = options.numeric ? entries : await nameIdentities(entries, agent, ctx);
    if (options.pods && rows.some((row) => row.pod === '')) {
      const { byAddress } = await listPods(agent);
      rows = rows.map((row) => ({
        ...row,
        ...(row.pod === '' && byAddress.get(row.cidr.split('/')[0] ?? '')),
      }));
    }
    return ipTable(rows, options);
  });
}
