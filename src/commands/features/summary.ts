import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { SilentExit } from '../../errors.ts';

/** Declares `features summary`, which summarises nothing. */
export function addFeaturesSummaryCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium features summary'));
  command
    .allowUnknownOption()
    .usage('[options]')
    .argument('[words...]')
    .action(() => runFeaturesSummary(ctx));
}

/** Points to what does. */
export async function runFeaturesSummary(ctx: Context): Promise<void> {
  await ctx.err.write(
    'Nothing is summarised here: this verb of cilium-cli downloads what the CI of Cilium itself has tested, from GitHub ' +
      '(https://github.com/cilium/cilium-cli).\nOf a cluster of yours: cilium features status -o markdown\n',
  );
  throw new SilentExit(1);
}
