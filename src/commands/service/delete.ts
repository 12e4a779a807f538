import type { Command } from 'commander';
import { type AgentClient, ApiError } from '../../agent/client.ts';
import { decodeServices } from '../../agent/decode/services.ts';
import { failed } from '../../cli/answer.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { serviceApiGone, serviceIdArgument } from './argument.ts';

interface ServiceDeleteOptions extends WaitFlags {
  all?: boolean;
}

/** Declares `service delete`. */
export function addServiceDeleteCommand(command: Command, ctx: Context): void {
  command
    .argument('[service]', 'number of the service')
    .option('--all', 'Delete all services')
    .action((service: string | undefined, options: ServiceDeleteOptions, self: Command) =>
      options.all ? deleteAll(options, ctx) : deleteOne(serviceIdArgument(self, service), options, ctx),
    );
  addWaitOptions(command, 'the agent no longer lists the service');
}

async function remove(agent: AgentClient, id: number): Promise<void> {
  await agent.delete('/service/{id}', { path: { id } }).catch(serviceApiGone);
}

async function deleteOne(id: number, options: ServiceDeleteOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await remove(agent, id).catch(writeFailed(`Cannot delete service ${id}`, `cilium service get ${id}`));
  await ctx.out.write(`Service ${id} deleted successfully\n`);
  await readBack(ctx, options, `that service ${id} is gone`, async () => {
    try {
      await agent.get('/service/{id}', { path: { id } });
      return false;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return true;
      throw error;
    }
  });
}

/** Goes on after a service that cannot be deleted, and fails at the end. */
async function deleteAll(options: ServiceDeleteOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const list = async () =>
    decodeServices(await agent.get('/service').catch(failed('Cannot get list of services')));
  const { services } = await list();
  const kept: number[] = [];
  for (const { id } of services) {
    try {
      await remove(agent, id).catch(writeFailed(`Cannot delete service ${id}`, 'cilium service list'));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      kept.push(id);
      await ctx.err.write(`${errorMessage(error)}\n`);
    }
  }
  if (kept.length > 0)
    throw new UserError(
      `${kept.length} of ${services.length} services could not be deleted: ${kept.join(', ')}`,
    );
  await readBack(
    ctx,
    options,
    'that all services are gone',
    async () => (await list()).services.length === 0,
  );
}
