import type { Command } from 'commander';
import { addListOptions, type ListFlags, printTable, runList } from '../../../cli/list.ts';
import { isStructured, withTemplate } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import type { Table } from '../../../render/text/blocks.ts';
import { goJson } from '../../../render/text/json.ts';
import { renderOutput } from '../../../render/text/output.ts';

const FORMATS = ['json', 'table', 'wide'];
const OURS = ['name', 'jsonpath=', 'jsonpath-file=', 'custom-columns='];

/** Declares a verb that lists what a server of Hubble knows. */
export function hubbleList<T>(
  command: Command,
  ctx: Context,
  fetch: () => Promise<T[]>,
  table: (values: T[], options: { isWide: boolean }) => Table,
): void {
  command.option('-o, --output <format>', `Form of the output: ${[...FORMATS, ...OURS].join(', ')}`, 'table');
  addListOptions(command);
  const run = async (flags: ListFlags, here: Context) => {
    const { output } = flags;
    if (output === 'json') {
      const values = await fetch();
      // The reference has no list where there is nothing.
      return await here.out.write(`${goJson(values.length > 0 ? values : null, 2)}\n`);
    }
    if (isStructured(output)) return await here.out.write(await renderOutput(await fetch(), output));
    await printTable(here, flags, table(await fetch(), { isWide: flags.form === 'wide' }));
  };
  command.action(async (flags: ListFlags) => {
    const output = withTemplate(flags.output);
    const isKnown = [...FORMATS, ...OURS].some((one) =>
      one.endsWith('=') ? output.startsWith(one) : output === one,
    );
    // The server is asked all the same: what is wrong with it is told first.
    if (!isKnown) await fetch();
    if (!isKnown)
      throw new UserError(`unknown output format: ${output}`, {
        hint: `Known are ${[...FORMATS, ...OURS].join(', ')}.`,
      });
    await runList(ctx, { ...flags, output }, run, 'The server');
  });
}
