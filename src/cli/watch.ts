import { type Command, Option } from 'commander';
import type { AgentClient } from '../agent/client.ts';
import type { Answer } from '../agent/decode/answer.ts';
import type { Context } from '../context.ts';
import { errorMessage, UserError } from '../errors.ts';
import { type Block, markChanges, renderMarked, renderTable, type Table } from '../render/text/blocks.ts';
import { type Palette, paletteFor } from '../render/text/palette.ts';
import { CLEAR_SCREEN } from '../render/text/screen.ts';
import { failed } from './answer.ts';
import { intervalOption } from './flags.ts';
import { type OutputFlag, writeAnswer } from './output.ts';

/** What `addWatchOptions` adds to a command. */
export interface WatchFlags {
  watch?: boolean;
  interval: number;
}

/** Flags of a verb that lists what the agent answers. */
export interface ListFlags extends OutputFlag, WatchFlags {}

/** Adds `--watch` and `--interval` to a list verb. */
export function addWatchOptions(command: Command): Command {
  return command
    .hook('preAction', (self) => {
      const { watch, output } = self.opts<{ watch?: boolean; output?: string }>();
      if (watch && output && output !== 'wide')
        throw new UserError('--watch shows a table: it cannot be combined with -o', {
          hint: 'For other programs, run the command repeatedly without --watch.',
        });
    })
    .addOption(new Option('-w, --watch', 'Repeat the list, and mark what changed'))
    .addOption(intervalOption());
}

/**
 * Prints a list, once or, with --watch, until Ctrl-C. In a terminal each look replaces the one before; elsewhere the
 * list is printed once and then only what changed. `+` is new, `~` has changed, `-` is gone.
 */
export async function printList(
  ctx: Context,
  flags: WatchFlags,
  look: () => Promise<Table>,
  asked = 'The agent',
): Promise<void> {
  let table = await look();
  if (!flags.watch) return ctx.out.write(renderTable(table));
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  await ctx.out.write(screen(ctx, table, table.blocks, palette));
  let lost = false;
  for (;;) {
    const before: readonly Block[] = table.blocks;
    if (!(await pause(ctx, flags.interval))) return;
    try {
      table = await look();
      if (lost) await ctx.err.write(`${asked} answers again.\n`);
      lost = false;
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      if (!lost) await ctx.err.write(`${errorMessage(error)}\nStill watching.\n`);
      lost = true;
      continue;
    }
    const text = ctx.out.isTTY ? screen(ctx, table, before, palette) : changes(table, before, palette);
    if (text) await ctx.out.write(text);
  }
}

/**
 * Prints a text until Ctrl-C. In a terminal each look replaces the one before; elsewhere it is printed again when it has
 * changed.
 */
export async function watchText(
  ctx: Context,
  interval: number,
  look: () => Promise<string>,
  asked: string,
): Promise<void> {
  let shown: string | undefined;
  let lost = false;
  do {
    try {
      const text = await look();
      if (lost) await ctx.err.write(`${asked} answers again.\n`);
      lost = false;
      if (ctx.out.isTTY) await ctx.out.write(`${CLEAR_SCREEN}${text}`);
      else if (text !== shown) await ctx.out.write(shown === undefined ? text : `\n${text}`);
      shown = text;
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (shown === undefined || !(error instanceof UserError)) throw error;
      if (!lost) await ctx.err.write(`${errorMessage(error)}\nStill watching.\n`);
      lost = true;
    }
  } while (await pause(ctx, interval));
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
  if (options.output) return writeAnswer(ctx, options.output, await answer());
  await printList(ctx, options, async () => table((await answer()).decode()));
}

async function pause(ctx: Context, ms: number): Promise<boolean> {
  await ctx.clock.sleep(ms, ctx.signal).catch((error: unknown) => {
    if (!ctx.signal.aborted) throw error;
  });
  return !ctx.signal.aborted;
}

/** The whole list; in a terminal from the top of a cleared screen. */
function screen(ctx: Context, table: Table, before: readonly Block[], palette: Palette): string {
  const lines = renderMarked(table, markChanges(before, table.blocks)).map((row) => paint(row, palette));
  const top = ctx.out.isTTY ? CLEAR_SCREEN : '';
  return `${top}${lines.join('\n')}\n`;
}

function changes(table: Table, before: readonly Block[], palette: Palette): string {
  const lines = renderMarked(table, markChanges(before, table.blocks))
    .filter((row) => row.mark !== ' ')
    .map((row) => paint(row, palette));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function paint({ mark, line }: { mark: string; line: string }, palette: Palette): string {
  const text = `${mark} ${line}`;
  if (mark === '+') return palette.good(text);
  if (mark === '~') return palette.warn(text);
  return mark === '-' ? palette.bad(text) : text;
}
