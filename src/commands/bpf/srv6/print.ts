import { NO_ENTRIES, printStructs } from '../../../cli/bpf/maps.ts';
import { type ListFlags, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { rowTable } from '../../../render/text/blocks.ts';

/** Prints rows whose fields stand in the order of the header. */
export async function printSrv6(
  ctx: Context,
  header: readonly string[],
  rows: readonly Record<string, string | number>[],
  options: ListFlags,
): Promise<void> {
  const cells = (row: Record<string, string | number>) => Object.values(row).map(String);
  const sorted = rows.toSorted((a, b) => compareNatural(cells(a).join(' '), cells(b).join(' ')));
  if (options.output !== '') return await printStructs(ctx, sorted, options);
  if (sorted.length === 0) return await ctx.err.write(NO_ENTRIES);
  await printTable(ctx, options, rowTable(header, sorted.map(cells)));
}
