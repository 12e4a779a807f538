import type { Command } from 'commander';
import { isEndpointReady, patchEndpointConfig } from '../../agent/decode/endpoints.ts';
import { examples } from '../../cli/flags.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint regenerate`. */
export function addEndpointRegenerateCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium endpoint regenerate 637', 'cilium endpoint regenerate 637 --wait'),
  );
  command
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .action(async (endpoint: string | undefined, options: WaitFlags, self: Command) =>
      runEndpointRegenerate((await endpointArgument(self, endpoint, ctx)).text, options, ctx),
    );
  addWaitOptions(command, 'the endpoint is ready');
}

async function runEndpointRegenerate(id: string, options: WaitFlags, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await patchEndpointConfig(agent, id, {}).catch(
    writeFailed(`Cannot regenerate endpoint ${id}`, `cilium endpoint log ${id}`),
  );
  await ctx.out.write(`Endpoint ${id} successfully regenerated\n`);
  if (options.wait) await readBack(ctx, options, `endpoint ${id} ready`, () => isEndpointReady(agent, id));
}
