import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { Reader } from '../../agent/decode/reader.ts';
import type { EndpointConfigurationStatus } from '../../agent/decode/types.gen.ts';
import { currentOptions, OptionError, parseOption, parseSwitch, shownValue } from '../../agent/options.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { renderOldOptions, renderOptionList, renderOptions } from '../../render/agent/options.ts';
import { endpointArgument } from './argument.ts';
import { endpointReady } from './ready.ts';

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
    .argument('[endpoint]', 'number, or prefix:value')
    .argument('[settings...]', 'Option=value, such as Debug=true')
    .option('--list-options', 'List available options')
    .addOption(outputOption())
    .action(
      (endpoint: string | undefined, settings: string[], options: EndpointConfigOptions, self: Command) => {
        if (options.listOptions) return ctx.out.write(renderOptionList(currentOptions('endpoint')));
        // As in the reference, the API is asked for the value without its prefix.
        const id = endpointArgument(self, endpoint).value;
        return settings.length === 0 ? showConfig(id, options, ctx) : setConfig(id, settings, options, ctx);
      },
    );
  addWaitOptions(command, 'the endpoint is ready with its new configuration');
}

async function fetchConfig(agent: AgentClient, id: string): Promise<EndpointConfigurationStatus> {
  return agent
    .get('/endpoint/{id}/config', { path: { id } })
    .catch(failed(`Cannot get configuration of endpoint ${id}`));
}

function reader(answer: EndpointConfigurationStatus): Reader<EndpointConfigurationStatus> {
  return new Reader('GET /endpoint/{id}/config', answer);
}

async function showConfig(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const answer = await fetchConfig(await ctx.agent(), id);
  if (options.output) return writeStructured(ctx, options.output, answer, 'EndpointConfigurationStatus');
  const config = reader(answer);
  const immutable = shown(config.at('immutable').textMap());
  const realized = shown(config.at('realized').at('options').textMap());
  // Both options went after 1.9, whose lines have another form.
  const render = 'NAT46' in realized || 'Conntrack' in realized ? renderOldOptions : renderOptions;
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
  const answer = await fetchConfig(agent, id);
  const wanted = reader(answer).at('realized').at('options').textMap();
  for (const { option, value } of changes) wanted[option.name] = String(value);
  await agent
    .patch('/endpoint/{id}/config', { path: { id }, body: { ...answer?.realized, options: wanted } })
    .catch(writeFailed(`Cannot update endpoint ${id}`, `cilium endpoint config ${id}`));
  await ctx.out.write(`Endpoint ${id} configuration updated successfully\n`);
  const names = changes.map(({ option }) => option.name).join(', ');
  await readBack(ctx, options, `the new ${names} of endpoint ${id}`, async () => {
    const now = reader(await agent.get('/endpoint/{id}/config', { path: { id } }))
      .at('realized')
      .at('options')
      .textMap();
    const done = changes.every(({ option, value }) => shows(now[option.name], value));
    return done && (!options.wait || (await endpointReady(agent, id)));
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
