import { type Command, Option } from 'commander';
import type { AgentClient } from '../agent/client.ts';
import type { Answer } from '../agent/decode/answer.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { renderMarked, renderTable, type Table } from '../render/text/blocks.ts';
import { failed } from './answer.ts';
import { intervalOption, stringSlice } from './flags.ts';
import { isTableForm, LIST_FORMATS, type OutputFlag, outputOption, writeAnswer } from './output.ts';

/** What `addListOptions` adds to a command. */
export interface ListFlags extends OutputFlag {
  columns: string[];
  sort: string[];
  headers: boolean;
  watch?: boolean;
  interval: number;
  /** What -o says where it names no document: `wide`, `name`. */
  form?: string;
  /** Takes the tables of one look, instead of printing them. */
  collect?: (table: Table) => void;
}

/** How a list differs from others. */
interface ListForm {
  /** `--sort` also orders what -o prints. */
  sortsOutput?: boolean;
}

/**
 * Adds what every list takes: `--columns`, `--sort`, `--no-headers`, `--watch` and `--interval`. Flags that the verb has
 * already, as the reference spells them, stay.
 */
export function addListOptions(command: Command, { sortsOutput = false }: ListForm = {}): Command {
  return command
    .hook('preAction', (self) => {
      const { watch, output = '', columns, sort } = self.opts<Partial<ListFlags>>();
      const flag = watch
        ? '--watch'
        : columns?.length && (!isTableForm(output) || output === 'name')
          ? '--columns'
          : sort?.length && !sortsOutput
            ? '--sort'
            : undefined;
      if (flag === undefined || (isTableForm(output) && !(flag === '--columns' && output === 'name'))) return;
      throw new UserError(`${flag} shows a table: it cannot be combined with -o ${output.split('=')[0]}`, {
        hint:
          flag === '--watch'
            ? 'For other programs, run the command repeatedly without --watch.'
            : "Of a document: -o custom-columns=TITLE:.path or -o jsonpath='{…}'.",
      });
    })
    .addOption(
      stringSlice(
        '--columns <columns>',
        'Columns to print, in this order: headers in lower case, with - between words',
      ),
    )
    .addOption(stringSlice('--sort <columns>', 'Columns to sort by; a leading - sorts in descending order'))
    .option('--no-headers', 'Do not print headers')
    .addOption(new Option('-w, --watch', 'Repeat the list, and mark what changed'))
    .addOption(intervalOption());
}

/** Declares a verb that does nothing but print a list, by `printTable`; its arguments are `command.args`. */
export function listVerb(
  command: Command,
  ctx: Context,
  run: (flags: ListFlags, ctx: Context) => Promise<void>,
  asked = 'The kernel',
): void {
  command
    .addOption(outputOption(...LIST_FORMATS))
    .action(() => runList(ctx, command.opts<ListFlags>(), run, asked));
  addListOptions(command);
}

/** Prints a list as its flags say: cropped to a terminal where no bytes are promised. */
export async function printTable(ctx: Context, flags: ListFlags, table: Table): Promise<void> {
  const shown = await arranged(flags, table);
  if (flags.collect) return flags.collect(shown);
  await ctx.out.write(await laidOut(ctx, flags.form, shown));
}

/** Prints a list, once or, with --watch, until Ctrl-C. */
export function printList(
  ctx: Context,
  flags: ListFlags,
  look: () => Promise<Table>,
  asked = 'The agent',
): Promise<void> {
  return runList(ctx, flags, async (once, here) => printTable(here, once, await look()), asked);
}

/**
 * Runs a verb that prints its list by `printTable`: once or, with --watch, until Ctrl-C. What it writes beside that is shown
 * with it.
 */
export async function runList<F extends ListFlags>(
  ctx: Context,
  flags: F,
  run: (flags: F, ctx: Context) => Promise<void>,
  asked = 'The agent',
): Promise<void> {
  const { output } = flags;
  if (isTableForm(output)) flags = { ...flags, form: output, output: '' };
  if (!flags.watch) return await run(flags, ctx);
  const { watchTables } = await import('./watch.ts');
  const look = async () => {
    const tables: Table[] = [];
    const said = { out: '', err: '' };
    const flush = () => {
      const lines = said.out.split('\n').slice(0, -1);
      if (lines.length > 0)
        tables.push({ headers: [], blocks: lines.map((line) => ({ key: line, lines: [line] })) });
      said.out = '';
    };
    const collect = (table: Table) => {
      flush();
      tables.push(table);
    };
    await run({ ...flags, collect }, listening(ctx, said));
    flush();
    return { tables, notes: said.err };
  };
  await watchTables(ctx, flags.interval, look, asked);
}

/** The context of one look: what is written there is kept. */
function listening(ctx: Context, said: { out: string; err: string }): Context {
  const keeping = (name: 'out' | 'err') => ({
    ...{ isTTY: ctx[name].isTTY, columns: ctx[name].columns },
    write: async (text: string) => {
      said[name] += text;
    },
    pass: async (bytes: Uint8Array) => {
      said[name] += Buffer.from(bytes).toString('utf8');
    },
  });
  return { ...ctx, out: keeping('out'), err: keeping('err') };
}

/** Prints what the agent answers: with -o as it came, else as a list that --watch repeats. */
export async function printAnswers<V>(
  ctx: Context,
  options: ListFlags,
  ask: (agent: AgentClient) => Promise<Answer<V>>,
  failure: string,
  table: (value: V) => Table | Promise<Table>,
): Promise<void> {
  const agent = await ctx.agent();
  const answer = () => ask(agent).catch(failed(failure));
  if (!isTableForm(options.output)) return writeAnswer(ctx, options.output, await answer());
  await printList(ctx, options, async () => table((await answer()).decode()));
}

async function arranged(flags: ListFlags, table: Table): Promise<Table> {
  const { columns, sort, headers, form } = flags;
  const isNames = form === 'name';
  if (columns.length === 0 && sort.length === 0 && headers && !isNames) return table;
  const { arrange, namesOnly } = await import('../render/text/columns.ts');
  const shown = arrange(table, { columns, sort, headers: headers || isNames });
  return isNames ? namesOnly(shown) : shown;
}

/** The text of a list: `-o wide` shows all of it, whatever the width. */
export async function laidOut(ctx: Context, form: string | undefined, table: Table): Promise<string> {
  const { isTTY, columns } = ctx.out;
  const width = isTTY && table.isOurs ? columns : undefined;
  if (form === 'wide' || (width === undefined && table.wide === undefined)) return painted(ctx, table);
  const { fitTable, withoutWide } = await import('../render/text/fit.ts');
  return painted(ctx, width === undefined ? withoutWide(table) : fitTable(table, width));
}

async function painted(ctx: Context, table: Table): Promise<string> {
  const { paint } = table;
  if (!paint) return renderTable(table);
  const { paletteFor } = await import('../render/text/palette.ts');
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  if (!palette.enabled) return renderTable(table);
  const plain = table.blocks.map((block) => ({ ...block, mark: ' ' as const }));
  return renderMarked(table, plain)
    .map(({ line, key }, i) => `${i < table.headers.length ? line : paint(line, key, palette)}\n`)
    .join('');
}
