import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { patchConfig, readConfig } from '../../agent/decode/config.ts';
import { OptionError, optionsOf, parseOption, shownValue } from '../../agent/options.ts';
import { failed } from '../../cli/answer.ts';
import { examples, integer } from '../../cli/flags.ts';
import { outputOption } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UserError } from '../../errors.ts';
import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import type { AgentConfig } from '../../model/config.ts';
import type { Shape } from '../../model/shape.ts';
import { sortKeys } from '../../render/text/go-value.ts';
import { type OutputFlag, renderOutput } from '../../render/text/output.ts';

interface ConfigOptions extends WaitFlags {
  listOptions?: boolean;
  readOnly?: boolean;
  all?: boolean;
  numPages: number;
  output: string;
}

/** What is to be changed. */
interface Changes {
  options: Record<string, string>;
  policyEnforcement?: string;
}

/** Declares `config`, which shows the agent's configuration or, with arguments, changes it. */
export function addConfigCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples('cilium config', 'cilium config Debug=true', 'cilium config --all -o json'),
    )
    .usage('[<option>=(enable|disable) ...]')
    .argument('[option=value...]', 'options to change, such as Debug=true or PolicyEnforcement=always')
    .option('--list-options', 'List available options')
    .option('-r, --read-only', 'Display read only configurations')
    .option('-a, --all', 'Display all cilium configurations')
    .addOption(
      integer(
        '-n, --num-pages <n>',
        'Number of pages for perf ring buffer. New values have to be > 0',
      ).default(0),
    )
    .addOption(outputOption())
    .action((args: string[], options: ConfigOptions) => runConfig(args, options, ctx));
  addWaitOptions(command, 'the agent reports the new values');
}

/** Lists the options, shows their values or changes them. */
export async function runConfig(args: string[], options: ConfigOptions, ctx: Context): Promise<void> {
  if (options.listOptions) {
    const { renderOptionList } = await import('../../render/agent/options.ts');
    return ctx.out.write(renderOptionList(optionsOf('daemon', await releaseOfForms(ctx))));
  }
  const agent = await ctx.agent();
  const config = await fetchConfig(agent);
  if (args.length === 0 && options.numPages <= 0) return show(config, options, ctx);
  const changes = await parseChanges(args, ctx);
  if (options.numPages > 0 && config.monitorPages !== undefined && config.monitorPages !== options.numPages)
    changes.options.MonitorNumPages = String(options.numPages);
  await change(agent, config, changes, options, ctx);
}

/** What the agent is configured with now. */
export async function fetchConfig(agent: AgentClient): Promise<AgentConfig> {
  return readConfig(agent).catch(failed('Error while retrieving configuration'));
}

async function show(config: AgentConfig, options: ConfigOptions, ctx: Context): Promise<void> {
  if (options.output) {
    const value = sortKeys(outputValue(config, options));
    return ctx.out.write(await renderOutput(value, options.output, numbersOf(options)));
  }
  const { renderOldConfig, renderReadOnlyConfig, renderReadWriteConfig } = await import(
    '../../render/agent/config.ts'
  );
  if (config.readOnly === undefined) return ctx.out.write(renderOldConfig(config, shownValue));
  const parts: string[] = [];
  if (options.readOnly || options.all) parts.push(renderReadOnlyConfig(config, shownValue));
  if (!options.readOnly) parts.push(renderReadWriteConfig(config, shownValue));
  await ctx.out.write(parts.join(''));
}

/**
 * How Go holds the numbers of what the agent was started with: as they came, which are texts in YAML, or with `--all` as
 * doubles, which have an exponent from a million on.
 */
function numbersOf({ all, readOnly, output }: ConfigOptions): OutputFlag {
  const type = readOnly ? output === 'yaml' && 'string' : all && 'number';
  if (!type) return {};
  const any: Shape = { $ref: '#/definitions/any' };
  const definitions = { any: { type, items: any, additionalProperties: any } };
  return { type: async () => ({ shape: { type: 'object', additionalProperties: any }, definitions }) };
}

function outputValue(config: AgentConfig, options: ConfigOptions): unknown {
  if (options.readOnly) return config.readOnly ?? null;
  if (!options.all) return config.options;
  return mergeKeeping(config.readOnly ?? {}, {
    ...(Object.keys(config.options).length > 0 && { options: config.options }),
    ...(config.policyEnforcement && { 'policy-enforcement': config.policyEnforcement }),
  });
}

/** Deep merge in which what is there already stays. */
function mergeKeeping(base: Record<string, unknown>, more: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(more)) {
    const old = merged[key];
    if (!Object.hasOwn(merged, key)) merged[key] = value;
    else if (isRecord(old) && isRecord(value)) merged[key] = mergeKeeping(old, value);
  }
  return merged;
}

async function parseChanges(args: readonly string[], ctx: Context): Promise<Changes> {
  const changes: Changes = { options: {} };
  for (const argument of args) {
    const at = argument.indexOf('=');
    if (at === -1)
      throw new UserError('Improper configuration format provided', {
        hint: `Expected Option=value, but got "${argument}". The options: cilium config --list-options`,
      });
    const text = argument.slice(at + 1);
    if (argument.slice(0, at) === 'PolicyEnforcement') {
      // Nothing is no mode: the reference leaves the one that is set.
      if (text !== '') changes.policyEnforcement = text;
      continue;
    }
    const { option, value } = await parseArgument(argument, ctx);
    const literal = option.name === 'MonitorAggregationLevel';
    changes.options[option.name] = literal ? text : value === 0 ? 'Disabled' : 'Enabled';
  }
  return changes;
}

/** Scripts read this message on stdout, where the reference puts it; the hint goes to stderr. */
async function parseArgument(argument: string, ctx: Context): Promise<ReturnType<typeof parseOption>> {
  try {
    return parseOption(argument, 'daemon');
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await ctx.out.write(`${error.message}\n`);
    if (error.hint) await ctx.err.write(`${error.hint}\n`);
    throw new SilentExit(1);
  }
}

async function change(
  agent: AgentClient,
  config: AgentConfig,
  changes: Changes,
  flags: WaitFlags,
  ctx: Context,
): Promise<void> {
  const wanted = { ...config.options, ...changes.options };
  const names = Object.keys(wanted).toSorted(compareBytes);
  const policyEnforcement = changes.policyEnforcement ?? config.policyEnforcement;
  const sorted = Object.fromEntries(names.map((name) => [name, wanted[name] ?? '']));
  await patchConfig(agent, sorted, policyEnforcement).catch(
    writeFailed('Unable to change agent configuration', 'cilium config'),
  );
  const pairs = Object.entries(changes.options);
  const what = [
    ...pairs.map(([name, value]) => `${name}=${value}`),
    ...(changes.policyEnforcement === undefined ? [] : [`PolicyEnforcement=${changes.policyEnforcement}`]),
  ].join(' ');
  if (what === '') return;
  await readBack(ctx, flags, what, async () => {
    const now = await fetchConfig(agent);
    return (
      pairs.every(([name, value]) => holds(now, name, value)) && now.policyEnforcement === policyEnforcement
    );
  });
  if (flags.wait || ctx.err.isTTY) await ctx.err.write(`The agent now has ${what}.\n`);
}

function holds(config: AgentConfig, name: string, value: string): boolean {
  if (name === 'MonitorNumPages') return String(config.monitorPages) === value;
  return shownValue(config.options[name] ?? '').toLowerCase() === shownValue(value).toLowerCase();
}
