import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { labEnvironment } from '../../lab/environment.ts';
import { exportLines } from './exports.ts';
import { addWhichOptions, requireLab, type WhichFlags } from './flags.ts';

/** Declares `lab env`. */
export function addLabEnvCommand(command: Command, ctx: Context): void {
  command

    .addHelpText('after', examples('eval "$(cilium lab env)"'))
    .addOption(outputOption())
    .action((flags: WhichFlags & OutputFlag) => runLabEnv(flags, ctx));
  addWhichOptions(command);
}

/** Prints the environment of a running lab. */
export async function runLabEnv(flags: WhichFlags & OutputFlag, ctx: Context): Promise<void> {
  const info = requireLab(flags, ctx);
  if (flags.output) return writeStructured(ctx, flags.output, labEnvironment(info));
  await ctx.out.write(exportLines(info));
}
