import type { Command } from 'commander';
import { listCgroups } from '../../agent/decode/cgroups.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { cgroupTable } from '../../render/agent/cgroups.ts';

/** Declares `cgroups list`. */
export function addCgroupsListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium cgroups list', 'cilium cgroups list --no-headers'));
  command
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: ListFlags) =>
      printAnswers(ctx, options, listCgroups, 'Cannot get cgroup metadata', cgroupTable),
    );
  addListOptions(command);
}
