import type { Command } from 'commander';
import { listCgroups } from '../../agent/decode/cgroups.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { cgroupTable } from '../../render/agent/cgroups.ts';

interface CgroupsListOptions extends ListFlags {
  headers: boolean;
}

/** Declares `cgroups list`. */
export function addCgroupsListCommand(command: Command, ctx: Context): void {
  command
    .option('--no-headers', 'Do not print headers')
    .addOption(outputOption())
    .action((options: CgroupsListOptions) =>
      printAnswers(ctx, options, listCgroups, 'Cannot get cgroup metadata', (pods) =>
        cgroupTable(pods, options),
      ),
    );
  addWatchOptions(command);
}
