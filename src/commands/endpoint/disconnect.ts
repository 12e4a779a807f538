import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { deleteEndpoint, readEndpoint } from '../../agent/decode/endpoints.ts';
import { examples } from '../../cli/flags.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint disconnect`. */
export function addEndpointDisconnectCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium endpoint disconnect 637'));
  command
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .action(async (endpoint: string | undefined, options: WaitFlags, self: Command) =>
      runEndpointDisconnect((await endpointArgument(self, endpoint, ctx)).text, options, ctx),
    );
  addWaitOptions(command, 'the agent no longer knows the endpoint');
}

async function runEndpointDisconnect(id: string, options: WaitFlags, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const problems = await deleteEndpoint(agent, id).catch(
    writeFailed(`Cannot disconnect endpoint ${id}`, `cilium endpoint get ${id}`),
  );
  await ctx.out.write(`Endpoint ${id} successfully disconnected\n`);
  if (problems > 0)
    await ctx.err.write(
      `Note: the agent met ${problems} errors while it removed the endpoint; see its log.\n`,
    );
  await readBack(ctx, options, `that endpoint ${id} is gone`, async () => {
    try {
      await readEndpoint(agent, id);
      return false;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return true;
      throw error;
    }
  });
}
