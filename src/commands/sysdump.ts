import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { SilentExit } from '../errors.ts';

/** Declares the in-agent `sysdump`, which collects nothing. */
export function addSysdumpCommand(command: Command, ctx: Context): void {
  command
    .allowUnknownOption()
    .argument('[words...]')
    .action(() => runSysdump(ctx));
}

/** Points to what does collect. */
export async function runSysdump(ctx: Context): Promise<void> {
  await ctx.err.write(
    'Nothing is collected inside an agent: the collector works on a whole cluster, from a machine with kubectl access ' +
      '(https://github.com/cilium/cilium-cli).\nFor this node alone: cilium debuginfo --file\n',
  );
  throw new SilentExit(1);
}
