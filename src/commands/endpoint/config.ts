import type { Command } from 'commander';
import { isEndpointReady, patchEndpointConfig, readEndpointConfig } from '../../agent/decode/endpoints.ts';
import { OptionError, optionsOf, parseOption, parseSwitch, shownValue } from '../../agent/options.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { atLeast } from '../../model/release.ts';
import { renderOldOptions, renderOptionList, renderOptions } from '../../render/agent/options.ts';
import { endpointArgument } from './argument.ts';

interface EndpointConfigOptions extends OutputFlag, WaitFlags {
  listOptions?: boolean;
}

/** Declares `endpoint config`. */
export function addEndpointConfigCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples('cilium endpoint config 637', 'cilium endpoint config 637 Debug=true --wait'),
    )
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .argument('[settings...]', 'Option=value, such as Debug=true')
    .option('--list-options', 'List available options')
    .addOption(outputOption())
    .action(
      async (
        endpoint: string | undefined,
        settings: string[],
        options: EndpointConfigOptions,
        self: Command,
      ) => {
        if (options.listOptions)
          return ctx.out.write(renderOptionList(optionsOf('endpoint', await releaseOfForms(ctx))));
        // As in the reference, the API is asked for the value without its prefix.
        const id = (await endpointArgument(self, endpoint, ctx)).value;
        return settings.length === 0 ? showConfig(id, options, ctx) : setConfig(id, settings, options, ctx);
      },
    );
  addWaitOptions(command, 'the endpoint is ready with its new configuration');
}

async function showConfig(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readEndpointConfig(agent, id).catch(
    failed(`Cannot get configuration of endpoint ${id}`),
  );
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const config = answer.decode();
  const immutable = shown(config.immutable);
  const realized = shown(config.options);
  // Both options went with 1.12; the lines of agents up to 1.10 have another form.
  const isOld =
    ('NAT46' in realized || 'Conntrack' in realized) && !atLeast(await releaseOfForms(ctx, '1.10'), '1.11');
  const render = isOld ? renderOldOptions : renderOptions;
  await ctx.out.write(render(immutable) + render(realized));
}

function shown(options: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, shownValue(value)]));
}

async function setConfig(
  id: string,
  settings: string[],
  options: EndpointConfigOptions,
  ctx: Context,
): Promise<void> {
  const changes = settings.map((setting) => {
    try {
      return parseOption(setting, 'endpoint');
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      return failed(`Cannot parse option ${setting}`)(error);
    }
  });
  const agent = await ctx.agent();
  const answer = await readEndpointConfig(agent, id).catch(
    failed(`Cannot get configuration of endpoint ${id}`),
  );
  const before = answer.decode();
  const wanted = { ...before.options };
  for (const { option, value } of changes) wanted[option.name] = String(value);
  await patchEndpointConfig(agent, id, { ...before.realized, options: wanted }).catch(
    writeFailed(`Cannot update endpoint ${id}`, `cilium endpoint config ${id}`),
  );
  await ctx.out.write(`Endpoint ${id} configuration updated successfully\n`);
  const names = changes.map(({ option }) => option.name).join(', ');
  await readBack(ctx, options, `the new ${names} of endpoint ${id}`, async () => {
    const now = (await readEndpointConfig(agent, id)).decode().options;
    const done = changes.every(({ option, value }) => shows(now[option.name], value));
    return done && (!options.wait || (await isEndpointReady(agent, id)));
  });
}

const LEVELS = ['none', 'lowest', 'low', 'medium', 'maximum'];

/** Whether the agent's word for a value is the one that was sent. */
function shows(word: string | undefined, value: number): boolean {
  if (word === undefined) return value === 0;
  const on = parseSwitch(word);
  if (on !== undefined) return on === value > 0;
  return word === String(value) || (LEVELS[value] ?? '').startsWith(word.toLowerCase());
}
