import type { Command } from 'commander';
import { examples, requiredArgument } from '../../cli/flags.ts';
import { idleOutputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { goValue } from '../../render/text/go-value.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { fetchConfig } from './config.ts';

/** Declares `config get`. */
export function addConfigGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium config get PolicyEnforcement'))
    .usage('<config name>')
    .argument('[name]', 'name of an option, in any case')
    .argument('[more...]')
    .addOption(idleOutputOption())
    .action((name: string | undefined, _more: string[]) =>
      runConfigGet(requiredArgument(command, name, 'config name'), ctx),
    );
}

/** Prints one value. The name is taken without case and punctuation: `policy-enforcement` is PolicyEnforcement. */
export async function runConfigGet(name: string, ctx: Context): Promise<void> {
  const wanted = name.toLowerCase().replace(/\W/g, '');
  const config = await fetchConfig(await ctx.agent());
  const values = new Map<string, unknown>();
  flatten(config.readOnly ?? {}, values);
  flatten({ ...config.options, PolicyEnforcement: config.policyEnforcement }, values);
  if (!values.has(wanted)) {
    const near = [...values.keys()].filter((key) => key.includes(wanted)).slice(0, 8);
    throw new UserError('Configuration does not exist', {
      hint: near.length > 0 ? `Similar names: ${near.join(', ')}` : 'All names: cilium config --all',
    });
  }
  await ctx.out.write(`${sanitize(goValue(values.get(wanted)))}\n`);
}

/** A map is a value too, and what it holds is found by its own name. */
function flatten(map: Readonly<Record<string, unknown>>, into: Map<string, unknown>): void {
  for (const [name, value] of Object.entries(map)) {
    if (isRecord(value))
      for (const [inner, held] of Object.entries(value)) into.set(inner.toLowerCase(), held);
    into.set(name.toLowerCase(), value);
  }
}
