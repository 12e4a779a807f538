import type { Command } from 'commander';
import { listRedirects } from '../../agent/decode/lrp.ts';
import {
  addClusterListFlags,
  type ClusterListFlags,
  LIST_FORMATS,
  meansObjects,
} from '../../cli/kube/target.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { redirectTable } from '../../render/agent/lrp.ts';

/** Declares `lrp list`. */
export function addLrpListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption(...LIST_FORMATS)).action(async (options: ListFlags & ClusterListFlags) => {
    if (!(await meansObjects(options, [], ctx)))
      return printAnswers(ctx, options, listRedirects, 'Cannot get lrp list', redirectTable);
    const { printObjects } = await import('../../cli/kube/cluster-list.ts');
    await printObjects(command, 'redirect', options, ctx);
  });
  addWatchOptions(command);
  addClusterListFlags(command);
}
