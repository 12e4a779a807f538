import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { sortKeys } from '../../render/text/go-value.ts';

/** Declares `config view`. */
export function addConfigViewCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium config view', 'cilium config view -o json --context production'))
    .addOption(outputOption())
    .action((options: OutputFlag) => runConfigView(options, ctx));
}

/** Prints the ConfigMap that Cilium is configured by. */
export async function runConfigView({ output }: OutputFlag, ctx: Context): Promise<void> {
  const { openStoredConfig } = await import('./stored.ts');
  const { stored } = await openStoredConfig(ctx, 'Unable to view config');
  if (output) return writeStructured(ctx, output, sortKeys(stored.data));
  const { renderConfigMap } = await import('../../render/cluster/config.ts');
  await ctx.out.write(renderConfigMap(stored.data));
}
