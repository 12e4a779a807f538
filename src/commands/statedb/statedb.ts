import { type Command, Option } from 'commander';
import { TIMEOUT_MS } from '../../agent/client.ts';
import { DUMP_PATHS, NoTables, readTable } from '../../agent/statedb.ts';
import { copyAnswer, RawError } from '../../cli/answer.ts';
import { durationOption } from '../../cli/flags.ts';
import { printList } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { objectTable } from '../../render/agent/statedb.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { renderOutput } from '../../render/text/output.ts';

interface StatedbOptions {
  output: string;
  watch?: number;
}

/** Declares `statedb`. */
export function addStatedbCommand(command: Command, ctx: Context): void {
  command

    .argument('[table]', 'a table such as devices; without one, or with "dump", everything as JSON')
    .argument('[name]', 'table of the experimental group, as 1.17 names them')
    .addOption(durationOption('-w, --watch <interval>', 'Repeat at this interval, such as --watch=1s'))
    .addOption(new Option('-o, --output <format>', 'table| json| yaml').default('', ''))
    .action((table: string | undefined, name: string | undefined, options: StatedbOptions) =>
      table === undefined || table === 'dump'
        ? dump(ctx)
        : showTable(table === 'experimental' ? (name ?? '') : table, options, ctx),
    );
}

async function dump(ctx: Context): Promise<void> {
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

async function showTable(name: string, options: StatedbOptions, ctx: Context): Promise<void> {
  const { http } = await ctx.agent();
  const look = () =>
    readTable(http, name, { timeoutMs: ctx.globals.timeoutMs ?? TIMEOUT_MS, signal: ctx.signal });
  if (options.output && options.output !== 'table')
    return ctx.out.write(await renderOutput(await look(), options.output));
  if (options.watch === undefined) return ctx.out.write(renderTable(objectTable(await look())));
  await printList(ctx, { watch: true, interval: options.watch }, async () => objectTable(await look()));
}
