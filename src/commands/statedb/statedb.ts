import { type Command, Option } from 'commander';
import { copyAnswer, failed, RawError } from '../../cli/answer.ts';
import { durationOption } from '../../cli/flags.ts';
import { printList } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { objectTable } from '../../render/agent/statedb.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { renderOutput } from '../../render/text/output.ts';

interface StatedbOptions {
  output: string;
  watch?: number;
}

const TIMEOUT_MS = 90_000;
/** Where agents serve the dump: 1.20 beside its REST API, 1.17 within. */
const DUMPS = ['/statedb/dump', '/v1/statedb/dump'];

/** Declares `statedb`. */
export function addStatedbCommand(command: Command, ctx: Context): void {
  command
    .description("Inspect StateDB: the agent's in-memory tables")
    .argument('[table]', 'a table such as devices; without one, or with "dump", everything as JSON')
    .argument('[name]', 'table of the experimental group, as 1.17 names them')
    .addOption(durationOption('-w, --watch <interval>', 'Look again and again, such as --watch=1s'))
    .addOption(new Option('-o, --output <format>', 'table| json| yaml').default('', ''))
    .action((table: string | undefined, name: string | undefined, options: StatedbOptions) =>
      table === undefined || table === 'dump'
        ? dump(ctx)
        : showTable(table === 'experimental' ? (name ?? '') : table, options, ctx),
    );
}

async function dump(ctx: Context): Promise<void> {
  const { http } = await ctx.agent();
  for (const [i, path] of DUMPS.entries()) {
    try {
      return await copyAnswer(
        ctx,
        http,
        { method: 'GET', path, timeoutMs: TIMEOUT_MS, signal: ctx.signal },
        'cannot dump the tables',
      );
    } catch (error) {
      const last = i === DUMPS.length - 1;
      if (!(error instanceof RawError && error.status === 404)) throw error;
      if (last) throw noTables(error);
    }
  }
}

function noTables(cause: unknown): UserError {
  return new UserError('this agent serves no StateDB tables', {
    hint: 'Cilium 1.17 and later do.',
    cause,
  });
}

async function fetchTables(ctx: Context): Promise<Record<string, unknown>> {
  const { http } = await ctx.agent();
  for (const path of DUMPS) {
    const response = await http
      .request({ method: 'GET', path, timeoutMs: TIMEOUT_MS, signal: ctx.signal })
      .catch(failed('cannot read the tables'));
    if (response.status === 404) continue;
    if (response.status !== 200)
      throw new UserError(`cannot read the tables: the agent answered ${response.status}`);
    return parseTables(response.body.toString());
  }
  throw noTables(undefined);
}

function parseTables(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError('cannot read the tables: the answer is not JSON', {
      hint: 'Is this the socket of a Cilium agent?',
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError('cannot read the tables: the answer is not an object of tables');
  return value as Record<string, unknown>;
}

async function showTable(name: string, options: StatedbOptions, ctx: Context): Promise<void> {
  const look = async (): Promise<unknown[]> => {
    const tables = await fetchTables(ctx);
    const rows = Object.hasOwn(tables, name) ? tables[name] : undefined;
    if (!Array.isArray(rows))
      throw new UserError(`the agent has no table "${name}"`, {
        hint: `Its tables: ${Object.keys(tables).toSorted().join(', ') || 'none'}.`,
      });
    return rows;
  };
  if (options.output && options.output !== 'table')
    return ctx.out.write(await renderOutput(await look(), options.output));
  if (options.watch === undefined) return ctx.out.write(renderTable(objectTable(await look())));
  await printList(ctx, { watch: true, interval: options.watch }, async () => objectTable(await look()));
}
