import type { Command } from 'commander';
import { TIMEOUT_MS } from '../../agent/client.ts';
import { DUMP_PATHS, NoTables, readTable } from '../../agent/statedb.ts';
import { copyAnswer, RawError } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printList } from '../../cli/list.ts';
import { isStructured, LIST_FORMATS, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { objectTable } from '../../render/agent/statedb.ts';
import { renderOutput } from '../../render/text/output.ts';

/** Declares `statedb`. */
export function addStatedbCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium statedb health', 'cilium statedb health --watch=5s'));
  command
    .argument('[table]', 'a table such as devices; without one, or with "dump", everything as JSON')
    .argument('[name]', 'table of the experimental group, as 1.17 names them')
    .addOption(outputOption('table', ...LIST_FORMATS))
    .action((table: string | undefined, name: string | undefined, options: ListFlags) =>
      table === undefined || table === 'dump'
        ? dump(options, ctx)
        : showTable(table === 'experimental' ? (name ?? '') : table, options, ctx),
    );
  addListOptions(command);
}

/** Everything is one document, as the agent has it. */
async function dump(options: ListFlags, ctx: Context): Promise<void> {
  const flag = ownFlagOf(options);
  if (flag !== undefined)
    throw new UserError(`${flag} goes with one table: all of them are printed as the JSON of the agent`, {
      hint: 'Name a table, such as health.',
    });
  const { http } = await ctx.agent();
  for (const [i, path] of DUMP_PATHS.entries()) {
    try {
      return await copyAnswer(
        ctx,
        http,
        { method: 'GET', path, timeoutMs: ctx.globals.timeoutMs ?? TIMEOUT_MS, signal: ctx.signal },
        'cannot dump the tables',
      );
    } catch (error) {
      const last = i === DUMP_PATHS.length - 1;
      if (!(error instanceof RawError && error.status === 404)) throw error;
      if (last) throw new NoTables(error);
    }
  }
}

function ownFlagOf({ output, columns, sort, headers, watch }: ListFlags): string | undefined {
  if (output !== '' && output !== 'json') return `-o ${output.split('=')[0]}`;
  if (columns.length > 0) return '--columns';
  if (sort.length > 0) return '--sort';
  if (!headers) return '--no-headers';
  return watch ? '--watch' : undefined;
}

async function showTable(name: string, options: ListFlags, ctx: Context): Promise<void> {
  const { http } = await ctx.agent();
  const look = () =>
    readTable(http, name, { timeoutMs: ctx.globals.timeoutMs ?? TIMEOUT_MS, signal: ctx.signal });
  if (isStructured(options.output)) return ctx.out.write(await renderOutput(await look(), options.output));
  await printList(ctx, options, async () => objectTable(await look()));
}
