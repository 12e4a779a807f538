import { type Command, Option } from 'commander';
import { readMapUsage, usedInstead } from '../../../bpf/kernel/usage.ts';
import { summarizeMaps } from '../../../bpf/maps/summary.ts';
import { durationOption } from '../../../cli/flags.ts';
import { outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareBytes } from '../../../lib/order.ts';
import type { BpfMapRow } from '../../../model/bpf-map.ts';
import { renderBpfMaps } from '../../../render/bpf/maps.ts';
import { renderOutput } from '../../../render/text/output.ts';
import { paletteFor } from '../../../render/text/palette.ts';
import { CLEAR_SCREEN } from '../../../render/text/screen.ts';

const SORTS = ['name', 'entries', 'max', 'pressure', 'memory', 'type', 'id'] as const;

interface BpfMapsListOptions {
  output: string;
  sort: (typeof SORTS)[number];
  count: boolean;
  /** Refresh interval in milliseconds; undefined prints once. */
  watch?: number | true;
}

const DEFAULT_WATCH_MS = 2000;

/** Declares `bpf maps list`. */
export function addBpfMapsListCommand(command: Command, ctx: Context): void {
  command
    .addOption(new Option('--sort <column>', 'Column to sort by').choices(SORTS).default('name'))
    .option('--no-count', 'Do not walk the maps to count their entries')
    .addOption(durationOption('-w, --watch [interval]', 'Repeat at this interval (default 2s)'))
    .addOption(outputOption())
    .action((options: BpfMapsListOptions) => runBpfMapsList(options, ctx));
}

/** Walks the bpffs and prints a row per map; with --watch again and again. */
export async function runBpfMapsList(options: BpfMapsListOptions, ctx: Context): Promise<void> {
  if (options.watch === undefined) return await ctx.out.write(await look(options, ctx));
  const intervalMs = options.watch === true ? DEFAULT_WATCH_MS : options.watch;
  for (;;) {
    const text = await look(options, ctx);
    await ctx.out.write(ctx.out.isTTY ? CLEAR_SCREEN + text : text);
    await ctx.clock.sleep(intervalMs, ctx.signal);
  }
}

async function look(options: BpfMapsListOptions, ctx: Context): Promise<string> {
  const rows: BpfMapRow[] = [];
  const broken: string[] = [];
  const maps = summarizeMaps(ctx.globals.bpfRoot, {
    count: options.count,
    onBroken: ({ error }) => broken.push(`Warning: ${error.message}\n`),
  });
  for await (const row of maps) rows.push(row);
  if (broken.length > 0) await ctx.err.write(broken.join(''));
  rows.sort(ORDERS[options.sort]);
  const usage = readMapUsage();
  for (const row of rows) {
    row.programs = usage.programsOf.get(row.id) ?? [];
    const instead = usedInstead(row, rows, usage);
    if (instead !== undefined)
      await ctx.err.write(
        `Warning: ${row.path} is map ${row.id}, but loaded programs use map ${instead} of that name: see cilium doctor.\n`,
      );
  }
  if (options.output !== '') return await renderOutput(rows.map(toJson), options.output);
  if (rows.length === 0) {
    await ctx.err.write(`No maps are pinned below ${ctx.globals.bpfRoot}.\n`);
    return '';
  }
  return renderBpfMaps(rows, paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY));
}

const byPath = (a: BpfMapRow, b: BpfMapRow) => compareBytes(a.path, b.path);
const largest = (of: (row: BpfMapRow) => number) => (a: BpfMapRow, b: BpfMapRow) =>
  of(b) - of(a) || byPath(a, b);

const ORDERS: Record<BpfMapsListOptions['sort'], (a: BpfMapRow, b: BpfMapRow) => number> = {
  name: (a, b) => compareBytes(a.name, b.name) || byPath(a, b),
  entries: largest((row) => row.entries ?? -1),
  max: largest((row) => row.maxEntries),
  pressure: largest((row) => row.pressure ?? -1),
  memory: largest((row) => row.memoryBytes),
  type: (a, b) => compareBytes(a.type, b.type) || byPath(a, b),
  id: (a, b) => a.id - b.id,
};

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
