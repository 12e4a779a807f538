import type { Command } from 'commander';
import { deleteService, listServices, readRealizedService } from '../../agent/decode/services.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { announceTextIds, serviceIdArgument } from './argument.ts';

interface ServiceDeleteOptions extends WaitFlags {
  all?: boolean;
}

/** Declares `service delete`. */
export function addServiceDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium service delete 10', 'cilium service delete 10 --wait'));
  command
    .argument('[service]', 'number of the service')
    .option('--all', 'Delete all services')
    .action((service: string | undefined, options: ServiceDeleteOptions, self: Command) =>
      runServiceDelete(service, options, self, ctx),
    );
  addWaitOptions(command, 'the agent no longer lists the service');
}

async function runServiceDelete(
  service: string | undefined,
  options: ServiceDeleteOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  if (options.all) return deleteAll(options, ctx);
  await announceTextIds(ctx);
  return deleteOne(serviceIdArgument(command, service), options, ctx);
}

async function deleteOne(id: number, options: ServiceDeleteOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await deleteService(agent, id).catch(
    writeFailed(`Cannot delete service ${id}`, `cilium service get ${id}`),
  );
  await ctx.out.write(`Service ${id} deleted successfully\n`);
  await readBack(
    ctx,
    options,
    `that service ${id} is gone`,
    async () => (await readRealizedService(agent, id)) === undefined,
  );
}

/** Goes on after a service that cannot be deleted, and fails at the end. */
async function deleteAll(options: ServiceDeleteOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const list = async () =>
    (await listServices(agent).catch(failed('Cannot get list of services'))).decode().services;
  const services = await list();
  const kept: number[] = [];
  for (const { id } of services) {
    try {
      await deleteService(agent, id).catch(writeFailed(`Cannot delete service ${id}`, 'cilium service list'));
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
  await readBack(ctx, options, 'that all services are gone', async () => (await list()).length === 0);
}
