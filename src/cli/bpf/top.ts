import { type Command, Option } from 'commander';
import { TopCounter } from '../../bpf/maps/top.ts';
import type { Context } from '../../context.ts';
import { renderOutput } from '../../render/text/output.ts';
import { CLEAR_SCREEN } from '../../render/text/screen.ts';
import { tabulate } from '../../render/text/table.ts';
import { durationOption, integer } from '../flags.ts';
import { type OutputFlag, outputOption } from '../output.ts';

/** Flags of the verbs that rank what a map holds. */
export interface TopOptions<By extends string> extends OutputFlag {
  by: By;
  number: number;
  /** Refresh interval in milliseconds. */
  watch?: number | true;
}

const DEFAULT_WATCH_MS = 2000;

/** Adds those flags. */
export function topFlags(command: Command, by: readonly [string, ...string[]]): Command {
  return command
    .addOption(new Option('--by <what>', 'Field to count the entries by').choices(by).default(by[0]))
    .addOption(integer('-n, --number <rows>', 'Number of rows to print', { min: 1 }).default(10))
    .addOption(durationOption('-w, --watch [interval]', 'Repeat at this interval (default 2s)'))
    .addOption(outputOption());
}

/** Counts and prints once, or again and again with --watch. */
export async function printTop(
  ctx: Context,
  options: TopOptions<string>,
  count: (counter: TopCounter) => Promise<void>,
  /** What a key can hold; adds a column that says what is left. */
  capacity?: number,
): Promise<void> {
  for (;;) {
    const counter = new TopCounter();
    await count(counter);
    const text = await render(counter, options, capacity);
    if (options.watch === undefined) return await ctx.out.write(text);
    await ctx.out.write(ctx.out.isTTY ? CLEAR_SCREEN + text : text);
    await ctx.clock.sleep(options.watch === true ? DEFAULT_WATCH_MS : options.watch, ctx.signal);
  }
}

async function render(
  counter: TopCounter,
  options: TopOptions<string>,
  capacity: number | undefined,
): Promise<string> {
  const rows = counter.top(options.number);
  const { total, error } = counter;
  if (options.output !== '')
    return await renderOutput(
      {
        by: options.by,
        total,
        atMostMore: error,
        top: rows.map(({ key, count }) => ({
          key,
          count,
          ...(capacity !== undefined && { left: capacity - count }),
        })),
      },
      options.output,
    );
  const share = (count: number) => `${((100 * count) / total).toFixed(1)}%`;
  const left = (count: number) => (capacity === undefined ? '' : `${Math.max(0, capacity - count)}\t`);
  const lines = rows.map(({ key, count }) => `${count}\t${share(count)}\t${left(count)}${key}`);
  const table = tabulate(
    [
      `ENTRIES\tSHARE\t${capacity === undefined ? '' : 'PORTS LEFT\t'}${options.by.toUpperCase()}`,
      ...lines,
      '',
    ].join('\n'),
    {
      minWidth: 5,
      padding: 3,
    },
  );
  const doubt = error > 0 ? `, each count up to ${error} more` : '';
  return `${table}${total} entries in all${doubt}\n`;
}
