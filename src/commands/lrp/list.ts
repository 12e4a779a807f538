import type { Command } from 'commander';
import { listRedirects } from '../../agent/decode/lrp.ts';
import { examples } from '../../cli/flags.ts';
import { addClusterListFlags, type ClusterListFlags, meansObjects } from '../../cli/kube/target.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { redirectTable } from '../../render/agent/lrp.ts';

/** Declares `lrp list`. */
export function addLrpListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium lrp list', 'cilium lrp list --cluster --all-namespaces'));
  command.addOption(outputOption(...LIST_FORMATS)).action(async (options: ListFlags & ClusterListFlags) => {
    if (!(await meansObjects(options, ctx)))
      return printAnswers(ctx, options, listRedirects, 'Cannot get lrp list', redirectTable);
    const { printObjects } = await import('../../cli/kube/cluster-list.ts');
    await printObjects(command, 'redirect', options, ctx);
  });
  addListOptions(command);
  addClusterListFlags(command);
}
