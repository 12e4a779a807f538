import { type Command, Option } from 'commander';
import { TopCounter } from '../../bpf/maps/top.ts';
import type { Context } from '../../context.ts';
import { renderOutput } from '../../render/text/output.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { integer } from '../flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../list.ts';
import { LIST_FORMATS, outputOption } from '../output.ts';

/** Flags of the verbs that rank what a map holds. */
export interface TopOptions<By extends string> extends ListFlags {
  by: By;
  number: number;
}

/** Adds those flags. */
export function topFlags(command: Command, by: readonly [string, ...string[]]): Command {
  command
    .addOption(new Option('--by <what>', 'Field to count the entries by').choices(by).default(by[0]))
    .addOption(integer('-n, --number <rows>', 'Number of rows to print', { min: 1 }).default(10))
    .addOption(outputOption(...LIST_FORMATS));
  return addListOptions(command);
}

/** Counts and prints once, or again and again with --watch. */
export async function printTop(
  ctx: Context,
  options: TopOptions<string>,
  count: (counter: TopCounter) => Promise<void>,
  /** What a key can hold; adds a column that says what is left. */
  capacity?: number,
): Promise<void> {
  const once = async (flags: TopOptions<string>, here: Context) => {
    const counter = new TopCounter();
    await count(counter);
    await print(counter, flags, capacity, here);
  };
  await runList(ctx, options, once, 'The kernel');
}

async function print(
  counter: TopCounter,
  options: TopOptions<string>,
  capacity: number | undefined,
  ctx: Context,
): Promise<void> {
  const rows = counter.top(options.number);
  const { total, error } = counter;
  if (options.output !== '')
    return await ctx.out.write(
      await renderOutput(
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
      ),
    );
  const header = [
    'ENTRIES',
    'SHARE',
    ...(capacity === undefined ? [] : ['PORTS LEFT']),
    options.by.toUpperCase(),
  ];
  const share = (n: number) => `${((100 * n) / total).toFixed(1)}%`;
  const blocks = rows.map(({ key, count }) => {
    const left = capacity === undefined ? [] : [String(Math.max(0, capacity - count))];
    return { key, lines: [[String(count), share(count), ...left, sanitizeCell(key)].join('\t')] };
  });
  await printTable(ctx, options, { headers: [header.join('\t')], blocks, isOurs: true });
  const doubt = error > 0 ? `, each count up to ${error} more` : '';
  await ctx.out.write(`${total} entries in all${doubt}\n`);
}
