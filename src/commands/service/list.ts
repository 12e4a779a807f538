import type { Command } from 'commander';
import { listServices } from '../../agent/decode/services.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { serviceTable } from '../../render/agent/service.ts';

interface ServiceListOptions extends ListFlags {
  clustermeshAffinity?: boolean;
}

/** Declares `service list`. */
export function addServiceListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium service list', 'cilium service list -o json', 'cilium service list --node worker-1'),
  );
  command
    .option('--clustermesh-affinity', 'Print clustermesh affinity if available')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: ServiceListOptions) => runServiceList(options, ctx));
  addListOptions(command);
}

async function runServiceList(options: ServiceListOptions, ctx: Context): Promise<void> {
  const failure = 'Cannot get services list';
  await printAnswers(ctx, options, listServices, failure, async ({ services, unrealized }) => {
    if (unrealized > 0)
      await ctx.err.write(`Note: ${unrealized} services have no realized state and are left out.\n`);
    return serviceTable(services, { affinity: options.clustermeshAffinity === true });
  });
}
