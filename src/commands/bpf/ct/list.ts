import { type Command, Option } from 'commander';
import { type ClockSource, clockSourceOf, stampNow, stampSeconds } from '../../../bpf/kernel/clock-source.ts';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { walk } from '../../../bpf/kernel/reader.ts';
import { CONNTRACK4 } from '../../../bpf/layouts/conntrack.ts';
import {
  type ConnectionFilter,
  conntrackVariant,
  decodeConnection,
  matchesConnection,
} from '../../../bpf/maps/connections.ts';
import { clockSourceOrDefault } from '../../../cli/bpf/clock.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { DUMP_BATCH, type JsonEntries, printEntries } from '../../../cli/bpf/stream.ts';
import { examples, integer } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { conntrackLineWriter } from '../../../render/bpf/conntrack.ts';
import { entryJson } from '../../../render/bpf/entry-json.ts';
import { AsciiWriter } from '../../../render/text/ascii-writer.ts';
import { addFilterFlags, type FilterOptions, readFilter } from './filter.ts';
import { type ConntrackTable, conntrackTable, GLOBAL_TABLE, requireTable, sayMissing } from './maps.ts';

/** Room for the lines of a batch. */
const LINES_BYTES = 1 << 20;

interface CtListOptions extends OutputFlag, FilterOptions {
  timeDiff?: boolean;
  timeDiffClocksourceMode?: string;
  timeDiffClocksourceHz: number;
}

/** Declares `bpf ct list`. */
export function addBpfCtListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf ct list',
      'cilium bpf ct list --pod shop/cart-6d9b-7hj2w --port 7070',
      "cilium bpf ct list --time-diff --where 'dst.port in 80..443 and not ip in 10.0.0.0/8'",
    ),
  );
  command
    .argument('[table...]', 'global (default), endpoint <id or pod> or cluster <id>')
    .option('-d, --time-diff', 'Print time difference for entries')
    .addOption(
      new Option(
        '--time-diff-clocksource-mode <mode>',
        'Manually set clock source mode (instead of contacting the server)',
      ).choices(['ktime', 'jiffies']),
    )
    .addOption(
      integer('--time-diff-clocksource-hz <hz>', 'Manually set clock source Hz', { min: 1 }).default(250),
    );
  addFilterFlags(command)
    .addOption(outputOption())
    .action((words: string[], options: CtListOptions) => runBpfCtList(words, options, ctx));
}

/** Prints the connections of a table, batch by batch in the order of the maps. */
export async function runBpfCtList(words: string[], options: CtListOptions, ctx: Context): Promise<void> {
  await requireTable(words, ctx);
  const table = await conntrackTable(words, ctx);
  if ('wrong' in table) return await ctx.err.write(`Invalid argument: ${table.wrong}`);
  const filter = await readFilter(options, ctx);
  if (options.output !== '') return await printEntries(ctx, entries(ctx, table.maps, filter), options.output);
  const source = options.timeDiff ? await clockSource(options, ctx) : undefined;
  const now = source && stampSeconds(source, stampNow(source, ctx.clock.uptimeMs()));
  const remaining =
    source && now !== undefined ? (lifetime: number) => stampSeconds(source, lifetime) - now : undefined;
  const out = new AsciiWriter(LINES_BYTES);
  for await (const { map, variant, release } of openTables(ctx, table.maps)) {
    const write = conntrackLineWriter(variant, {
      remaining,
      wanted: wanted(variant, filter),
      ofEndpoint: table.ofEndpoint,
      release,
    });
    for await (const batch of walk(map, { size: DUMP_BATCH })) {
      write(out, batch);
      if (out.length > 0) await ctx.out.pass(out.take());
    }
    await ctx.out.write('\n');
  }
}

/** The maps of a table that are there, each closed when the next is asked for; a missing one is reported. */
async function* openTables(ctx: Context, maps: ConntrackTable) {
  const { bpfRoot } = ctx.globals;
  const release = await mapsRelease(ctx, CONNTRACK4);
  for (const name of maps) {
    using map = openGlobal(bpfRoot, name);
    if (map) yield { map, variant: conntrackVariant(map, release), release };
    else await sayMissing(ctx, globalPath(bpfRoot, name), name, maps === GLOBAL_TABLE);
  }
}

async function* entries(
  ctx: Context,
  maps: ConntrackTable,
  filter: ConnectionFilter | undefined,
): AsyncGenerator<JsonEntries> {
  for await (const { map, variant } of openTables(ctx, maps))
    yield {
      batches: walk(map, { size: DUMP_BATCH }),
      json: entryJson(variant),
      wanted: wanted(variant, filter),
    };
}

/** Whether the entry of a key is shown. */
function wanted({ key }: ReturnType<typeof conntrackVariant>, filter: ConnectionFilter | undefined) {
  return (
    filter && ((keys: Buffer, base: number) => matchesConnection(decodeConnection(key, keys, base), filter))
  );
}

async function clockSource(options: CtListOptions, ctx: Context): Promise<ClockSource> {
  if (options.timeDiffClocksourceMode === undefined) return await clockSourceOrDefault(ctx);
  const source = clockSourceOf(options.timeDiffClocksourceMode, options.timeDiffClocksourceHz);
  if (!source) throw new UserError('could not determine clocksource: invalid clocksource');
  return source;
}
