import { type Command, Option } from 'commander';
import { decodeIps, listPods, sortByCidr } from '../../agent/decode/identities.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { ipTable } from '../../render/agent/identity.ts';
import { nameIdentities } from './names.ts';

interface IpListOptions extends OutputFlag, WatchFlags {
  numeric?: boolean;
  verbose?: boolean;
  pods?: boolean;
}

/** Declares `ip list`. */
export function addIpListCommand(command: Command, ctx: Context): void {
  command
    .addOption(new Option('-n, --numeric', 'Print numeric identities'))
    .addOption(new Option('-v, --verbose', 'Print all fields of ipcache'))
    .addOption(new Option('--pods', 'Show the pod that has each address'))
    .addOption(outputOption())
    .action((options: IpListOptions) => runIpList(options, ctx));
  addWatchOptions(command);
}

async function runIpList(options: IpListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = async () =>
    sortByCidr(await agent.get('/ip').catch(failed('Cannot get ipcache entries. err')));
  if (options.output) return writeStructured(ctx, options.output, await fetch(), 'IPListEntry[]');
  await printList(ctx, options, async () => {
    let rows = decodeIps(await fetch());
    if (!options.numeric) rows = await nameIdentities(rows, agent, ctx);
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
