import type { Command } from 'commander';
import { listCgroups } from '../../agent/decode/cgroups.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import { addWatchOptions, printAnswers, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { cgroupTable } from '../../render/agent/cgroups.ts';

interface CgroupsListOptions extends OutputFlag, WatchFlags {
  headers: boolean;
}

/** Declares `cgroups list`. */
export function addCgroupsListCommand(command: Command, ctx: Context): void {
  command
    .option('--no-headers', 'Do not print headers')
    .addOption(outputOption())
    .action((options: CgroupsListOptions) => runCgroupsList(options, ctx));
  addWatchOptions(command);
}

async function runCgroupsList(options: CgroupsListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const ask = () => listCgroups(agent).catch(failed('Cannot get cgroup metadata'));
  await printAnswers(ctx, options, ask, (pods) => cgroupTable(pods, options));
}
