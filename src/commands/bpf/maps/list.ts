import type { Command } from 'commander';
import { readMapUsage, usedInstead } from '../../../bpf/kernel/usage.ts';
import { summarizeMaps } from '../../../bpf/maps/summary.ts';
import { examples } from '../../../cli/flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareBytes } from '../../../lib/order.ts';
import type { BpfMapRow } from '../../../model/bpf-map.ts';
import { bpfMapsTable } from '../../../render/bpf/maps.ts';
import { renderOutput } from '../../../render/text/output.ts';

interface BpfMapsListOptions extends ListFlags {
  count: boolean;
}

/** Declares `bpf maps list`. */
export function addBpfMapsListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf maps list --sort=-pressure --columns name,entries,max,pressure',
      'cilium bpf maps list --no-count -o json',
      'cilium bpf maps list --watch 5s',
    ),
  );
  command
    .option('--no-count', 'Do not walk the maps to count their entries')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: BpfMapsListOptions) => runList(ctx, options, runBpfMapsList, 'The kernel'));
  addListOptions(command, { sortsOutput: true });
}

/** Walks the bpffs and prints a row per map, by name unless --sort says otherwise. */
export async function runBpfMapsList(options: BpfMapsListOptions, ctx: Context): Promise<void> {
  const rows: BpfMapRow[] = [];
  const broken: string[] = [];
  const maps = summarizeMaps(ctx.globals.bpfRoot, {
    count: options.count,
    onBroken: ({ error }) => broken.push(`Warning: ${error.message}\n`),
  });
  for await (const row of maps) rows.push(row);
  if (broken.length > 0) await ctx.err.write(broken.join(''));
  rows.sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.path, b.path));
  const usage = readMapUsage();
  for (const row of rows) {
    row.programs = usage.programsOf.get(row.id) ?? [];
    const instead = usedInstead(row, rows, usage);
    if (instead !== undefined)
      await ctx.err.write(
        `Warning: ${row.path} is map ${row.id}, but loaded programs use map ${instead} of that name: see cilium doctor.\n`,
      );
  }
  if (options.output !== '') {
    const sorted = await ordered(rows, options.sort);
    return await ctx.out.write(await renderOutput(sorted.map(toJson), options.output));
  }
  if (rows.length === 0) return await ctx.err.write(`No maps are pinned below ${ctx.globals.bpfRoot}.\n`);
  await printTable(ctx, options, bpfMapsTable(rows));
}

async function ordered(rows: readonly BpfMapRow[], sort: readonly string[]): Promise<readonly BpfMapRow[]> {
  if (sort.length === 0) return rows;
  const { arrange } = await import('../../../render/text/columns.ts');
  const { blocks } = arrange(bpfMapsTable(rows), { columns: [], sort, headers: true });
  const byPath = new Map(rows.map((row) => [row.path, row]));
  return blocks.flatMap(({ key }) => byPath.get(key) ?? []);
}

/** The JSON form: unknown figures are null, so that every row has the same fields. */
function toJson(row: BpfMapRow): Record<string, unknown> {
  return {
    name: row.name,
    type: row.type,
    keySize: row.keySize,
    valueSize: row.valueSize,
    entries: row.entries ?? null,
    maxEntries: row.maxEntries,
    pressurePercent: row.pressure ?? null,
    memoryBytes: row.memoryBytes,
    flags: row.flags,
    id: row.id,
    feature: row.feature,
    endpoint: row.endpoint ?? null,
    programs: row.programs,
    path: row.path,
  };
}
