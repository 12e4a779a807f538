import { type Command, Option } from 'commander';
import { integer, stringArray } from '../../../cli/flags.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { buildFilters } from '../observe/filter-builder.ts';
import type { FilterWord } from '../observe/filter-tracker.ts';
import { addFilterOptions, addSelectorOptions } from '../observe/flags.ts';
import { limitOf } from '../observe/limit.ts';
import { askItsCluster, openMessages, type ReadMessages, sourceOf, targetOf } from '../observe/messages.ts';
import { withRawFilters } from '../observe/raw-filters.ts';
import type { FlowQuery } from '../observe/request.ts';
import { type SelectorFlags, selectFlows } from '../observe/selectors.ts';
import { openWhere } from '../observe/where.ts';

/** Flags that say which flows a map is made of. */
export interface TrafficFlags extends SelectorFlags {
  inputFile: string[];
  where?: string;
  reconnect: boolean;
  maxReconnects?: number;
}

/** So many flows of a server are looked at when nothing says otherwise. */
export const DEFAULT_LAST = 10_000n;

/** Declares where flows come from and which are meant; returns the filter flags as they come. */
export function addTrafficOptions(command: Command): FilterWord[] {
  command
    .addOption(
      stringArray(
        '--input-file <file>',
        'Read flows from a capture, a folder of captures or a glob; - for stdin',
      ),
    )
    .option('--where <expression>', 'Only flows that an expression means; "help" lists the fields');
  addSelectorOptions(command, DEFAULT_LAST);
  command.optionsGroup('Raw Filters Flags:');
  command
    .addOption(stringArray('--allowlist <json>', 'Show flows of this FlowFilter too'))
    .addOption(stringArray('--denylist <json>', 'Hide flows of this FlowFilter'));
  const words = addFilterOptions(command.optionsGroup('Filters Flags:'));
  command
    .optionsGroup('Other Flags:')
    .addOption(
      integer('--max-reconnects <n>', 'Attempts in a row when a followed stream breaks (default: no limit)', {
        min: 0,
      }),
    )
    .addOption(new Option('--no-reconnect', 'End when a followed stream breaks'));
  return words;
}

/** How much of the traffic is shown. */
export interface Bounds {
  nodes: number;
  edges: number;
}

/** The flag that bounds what is shown or kept. */
export function nodesOption(what: 'shown' | 'kept', initial: number): Option {
  const about = `Ends of traffic that are ${what}; those with the fewest flows are counted as others`;
  return integer('--nodes <n>', about, { min: 1, max: 2000 }).default(initial);
}

const EDGES_PER_NODE = 4;

/** So many ends, and connections between them. */
export function boundsOf({ nodes }: { nodes: number }): Bounds {
  return { nodes, edges: EDGES_PER_NODE * nodes };
}

/** The flows that a command line means. */
export interface TrafficSource {
  /** Captures whose flows are all meant that the filters mean: they can be counted without reading each. */
  captures: { files: readonly string[]; query: FlowQuery; ctx: Context } | undefined;
  read: ReadMessages;
  follow: boolean;
  /** They come from several clusters. */
  isMerged: boolean;
  /** What they come from, for a title. */
  target: string;
}

/** Opens what the flags mean. */
export async function openTraffic(
  command: Command,
  given: TrafficFlags & { state?: string },
  words: readonly FilterWord[],
  outer: Context,
): Promise<TrafficSource> {
  const settings = await readSettings(command, outer);
  const isMerged = settings.contexts.length > 1;
  if (isMerged && given.state === 'cluster')
    throw new UserError('--state cluster is of one cluster, and the flows are of several', {
      hint: 'Name one --context, or the policies with --rules.',
    });
  askItsCluster(settings, outer);
  const { flags, ctx, isRecording } = await sourceOf(given, outer);
  const fromFile = flags.inputFile.length > 0;
  if (fromFile && settings.flag('port-forward'))
    throw new UserError('cannot use --input-file and --port-forward together');
  if (fromFile && flags.follow)
    throw new UserError('--follow follows a server; a capture has an end', {
      hint: 'Leave out --follow, or --input-file.',
    });
  const isWhole = (fromFile && !isRecording) || hasSelection(flags);
  const asked = isWhole ? flags : { ...flags, last: DEFAULT_LAST };
  const selection = selectFlows(asked, ctx.clock.nowMs(), fromFile && !isRecording);
  const filters = withRawFilters(buildFilters(words), settings);
  const query = { filters, selection, mask: [] };
  const where = flags.where === undefined ? undefined : await openWhere(flags.where, query);
  const read = await openMessages(
    {
      flags,
      settings,
      query: where?.query ?? query,
      where,
      limit: fromFile ? limitOf(selection) : undefined,
    },
    ctx,
  );
  const isPlain = fromFile && !where && limitOf(selection) === undefined;
  const captures = isPlain ? { files: flags.inputFile, query, ctx } : undefined;
  const target = targetOf(flags.inputFile, settings, ctx);
  return { read, captures, follow: selection.follow, isMerged, target };
}

function hasSelection({ all, last, first, follow, since, until }: SelectorFlags): boolean {
  return [all, last, first, follow, since, until].some((flag) => flag !== undefined);
}
