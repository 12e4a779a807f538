import type { Command } from 'commander';
import { readService } from '../../agent/decode/services.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { atLeast } from '../../model/release.ts';
import { renderOldService, serviceTable } from '../../render/agent/service.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { serviceIdArgument } from './argument.ts';

/** Declares `service get`. */
export function addServiceGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium service get 1', 'cilium service get 1 -o json'));
  command
    .argument('[service]', 'number of the service')
    .addOption(outputOption())
    .action((service: string | undefined, options: OutputFlag) =>
      runServiceGet(serviceIdArgument(command, service), options, ctx),
    );
}

async function runServiceGet(id: number, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readService(agent, id).catch(failed(`Cannot get service '${id}'`));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const { services, picked } = answer.decode();
  const isTable = picked || atLeast(await releaseOfForms(ctx), '1.14');
  await ctx.out.write(
    isTable ? renderTable(serviceTable(services, {})) : services.map(renderOldService).join(''),
  );
}
