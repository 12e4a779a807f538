import { type Command, Option } from 'commander';
import { type ClockSource, clockSourceOf, stampNow, stampSeconds } from '../../../bpf/kernel/clock-source.ts';
import { globalPath, openGlobal, releaseOfPins } from '../../../bpf/kernel/pins.ts';
import type { ConnectionFilter } from '../../../bpf/layouts/conntrack.ts';
import { conntrackEntries, conntrackText, type JsonEntries } from '../../../bpf/maps/connections.ts';
import { clockSourceOrDefault } from '../../../cli/bpf/clock.ts';
import { printEntries } from '../../../cli/bpf/stream.ts';
import { integer } from '../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { addFilterFlags, type FilterOptions, readFilter } from './filter.ts';
import { type ConntrackTable, conntrackTable, GLOBAL_TABLE, sayMissing } from './maps.ts';

interface CtListOptions extends OutputFlag, FilterOptions {
  timeDiff?: boolean;
  timeDiffClocksourceMode?: string;
  timeDiffClocksourceHz: number;
}

/** Declares `bpf ct list`. */
export function addBpfCtListCommand(command: Command, ctx: Context): void {
  command
    .argument('[table...]', 'global (default), endpoint <id> or cluster <id>')
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
  const table = conntrackTable(words);
  if ('wrong' in table) return await ctx.err.write(`Invalid argument: ${table.wrong}`);
  const filter = await readFilter(options, ctx);
  if (options.output !== '') return await printEntries(ctx, entries(ctx, table.maps, filter), options.output);
  const source = options.timeDiff ? await clockSource(options, ctx) : undefined;
  const now = source && stampNow(source, ctx.clock.uptimeMs());
  const remaining =
    source && now !== undefined ? (lifetime: number) => stampSeconds(source, lifetime - now) : undefined;
  const release = releaseOfPins(ctx.globals.bpfRoot);
  for (const name of table.maps) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name), name, table.maps === GLOBAL_TABLE);
      continue;
    }
    for await (const text of conntrackText(map, { release, filter, remaining })) await ctx.out.write(text);
    await ctx.out.write('\n');
  }
}

async function* entries(
  ctx: Context,
  maps: ConntrackTable,
  filter: ConnectionFilter | undefined,
): AsyncGenerator<JsonEntries> {
  const release = releaseOfPins(ctx.globals.bpfRoot);
  for (const name of maps) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name), name, maps === GLOBAL_TABLE);
      continue;
    }
    yield conntrackEntries(map, release, filter);
  }
}

async function clockSource(options: CtListOptions, ctx: Context): Promise<ClockSource> {
  if (options.timeDiffClocksourceMode === undefined) return await clockSourceOrDefault(ctx);
  const source = clockSourceOf(options.timeDiffClocksourceMode, options.timeDiffClocksourceHz);
  if (!source) throw new UserError('could not determine clocksource: invalid clocksource');
  return source;
}
