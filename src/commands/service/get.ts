import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { Reader } from '../../agent/decode/reader.ts';
import { decodeServices } from '../../agent/decode/services.ts';
import type { Service } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { renderOldService, serviceTable } from '../../render/agent/service.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { serviceIdArgument } from './argument.ts';

/** Declares `service get`. */
export function addServiceGetCommand(command: Command, ctx: Context): void {
  command
    .argument('[service]', 'number of the service')
    .addOption(outputOption())
    .action((service: string | undefined, options: OutputFlag) =>
      runServiceGet(serviceIdArgument(command, service), options, ctx),
    );
}

/** Agents that no longer answer for one service (1.20) still list all of them: the one is picked from the list. */
async function fetchService(id: number, ctx: Context): Promise<Service> {
  const agent = await ctx.agent();
  try {
    return await agent.get('/service/{id}', { path: { id } });
  } catch (error) {
    if (!(error instanceof ApiError && error.isUnknownPath))
      return failed(`Cannot get service '${id}'`)(error);
  }
  const all = await agent.get('/service').catch(failed(`Cannot get service '${id}'`));
  const found = Array.isArray(all)
    ? all.find((service) => service?.status?.realized?.id === id || service?.spec?.id === id)
    : undefined;
  if (!found) throw new UserError(`Cannot get service '${id}': the agent has no service of this number`);
  return found;
}

async function runServiceGet(id: number, options: OutputFlag, ctx: Context): Promise<void> {
  const service = await fetchService(id, ctx);
  const realized = new Reader<Service>('GET /service/{id}', service).at('status').at('realized');
  if (!realized.present) throw new UserError(`Cannot get service '${id}': empty response`);
  if (options.output) return writeStructured(ctx, options.output, service, 'Service');
  const { services } = decodeServices([service]);
  // Backends of 1.9 have no state, and one service another form.
  const old = services.some(
    ({ backends }) => backends.length > 0 && backends.every(({ state }) => state === ''),
  );
  await ctx.out.write(
    old ? services.map(renderOldService).join('') : renderTable(serviceTable(services, {})),
  );
}
