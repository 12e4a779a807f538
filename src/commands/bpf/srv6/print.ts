import { NO_ENTRIES, printStructs } from '../../../cli/bpf/maps.ts';
import type { OutputFlag } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Prints rows whose fields stand in the order of the header. */
export async function printSrv6(
  ctx: Context,
  header: readonly string[],
  rows: readonly Record<string, string | number>[],
  options: OutputFlag,
): Promise<void> {
  const cells = (row: Record<string, string | number>) => Object.values(row).map(String);
  const sorted = rows.toSorted((a, b) => compareNatural(cells(a).join(' '), cells(b).join(' ')));
  if (options.output !== '') return await printStructs(ctx, sorted, { ...options, nil: true });
  if (sorted.length === 0) return await ctx.err.write(NO_ENTRIES);
  await ctx.out.write(renderRows(header, sorted.map(cells)));
}
