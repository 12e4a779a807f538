import { type Command, Option } from 'commander';
import { listEndpointRows, listEndpoints } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples, stringSlice } from '../../cli/flags.ts';
import {
  addClusterListFlags,
  type ClusterListFlags,
  LIST_FORMATS,
  meansObjects,
} from '../../cli/kube/target.ts';
import { type OutputFlag, outputOption, writeAnswer, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { compileSelector } from '../../model/selector.ts';
import { endpointTable } from '../../render/agent/endpoint.ts';
import {
  ENDPOINT_COLUMNS,
  type EndpointColumn,
  endpointColumnsTable,
  endpointOrder,
  endpointWideTable,
  isEndpointColumn,
} from '../../render/agent/endpoint-columns.ts';
import type { Table } from '../../render/text/blocks.ts';

interface EndpointListOptions extends OutputFlag, WatchFlags, ClusterListFlags {
  headers: boolean;
  columns: string[];
  sort: string[];
  selector: string;
  notReady?: boolean;
}

/** Declares `endpoint list`. */
export function addEndpointListCommand(command: Command, ctx: Context): void {
  command
    .option('--no-headers', 'Do not print headers')
    .addOption(outputOption(...LIST_FORMATS))
    .addOption(stringSlice('--columns <columns>', `Columns to print: ${ENDPOINT_COLUMNS.join(', ')}`))
    .addOption(stringSlice('--sort <columns>', 'Columns to sort by; a leading - sorts in descending order'))
    .addOption(
      new Option(
        '-l, --selector <labels>',
        'Only endpoints that match this label selector, such as app=web,tier!=db',
      ).default('', ''),
    )
    .option('--not-ready', 'Only endpoints whose state is not ready')
    .addHelpText(
      'after',
      examples(
        'cilium endpoint list --not-ready --columns id,pod,status',
        'cilium endpoint list --selector app=web,tier!=db --sort namespace,-id',
        'cilium endpoint list --watch',
        'cilium endpoint list -A -o wide',
        'cilium endpoint list --from cilium-sysdump.zip --node worker-2',
      ),
    )
    .action(async (options: EndpointListOptions) => {
      if (!(await meansObjects(options, ['wide'], ctx))) return runEndpointList(options, ctx);
      const own = ['columns', 'sort', 'notReady', 'headers'].find(
        (name) => command.getOptionValueSource(name) === 'cli',
      );
      if (own !== undefined)
        throw new UserError(`--${own === 'notReady' ? 'not-ready' : own} is for what an agent knows`, {
          hint: 'Of objects: -o custom-columns=NAME:.metadata.name,STATE:.status.state',
        });
      const { printObjects } = await import('../../cli/kube/cluster-list.ts');
      await printObjects(command, 'endpoint', options, ctx);
    });
  addWatchOptions(command);
  addClusterListFlags(command);
}

/** Fetches, orders and prints the endpoints of the node. */
export async function runEndpointList(options: EndpointListOptions, ctx: Context): Promise<void> {
  const choose = chooser(options);
  const table = layout(options, ctx);
  const agent = await ctx.agent();
  const refused = failed('cannot get endpoint list');
  if (options.output && options.output !== 'wide') {
    const answer = await listEndpoints(agent).catch(refused);
    if (!choose) return writeAnswer(ctx, options.output, answer);
    const chosen = choose(answer.decode()).map(({ document }) => document);
    return writeStructured(ctx, options.output, chosen, answer.type);
  }
  await printList(ctx, options, async () => {
    const rows = (await listEndpointRows(agent).catch(refused)).decode();
    return table(choose ? choose(rows) : rows);
  });
}

type Choose = (rows: EndpointRow[]) => EndpointRow[];

/** What --selector, --not-ready and --sort make of the list; undefined when none is given. */
function chooser(options: EndpointListOptions): Choose | undefined {
  const { selector, notReady, sort } = options;
  if (selector === '' && !notReady && sort.length === 0) return undefined;
  const matches = selector === '' ? undefined : compileSelector(selector);
  if (selector !== '' && !matches)
    throw new UserError(`--selector: "${selector}" is not a label selector`, {
      hint: 'Expected conditions joined by commas: key, !key, key=value, key!=value, key in (a,b), key notin (a,b).',
    });
  const order = endpointOrder(
    sort.map((word) => ({
      column: columnOf(word.replace(/^-/, ''), '--sort'),
      descending: word.startsWith('-'),
    })),
  );
  return (rows) =>
    rows
      .filter((row) => (!matches || matches(row.labels)) && (!notReady || row.state !== 'ready'))
      .toSorted(order);
}

function columnOf(word: string, flag: string): EndpointColumn {
  const name = word.toLowerCase();
  if (isEndpointColumn(name)) return name;
  throw new UserError(`${flag}: there is no column "${word}"`, {
    hint: `Columns: ${ENDPOINT_COLUMNS.join(', ')}.`,
  });
}

function layout(options: EndpointListOptions, ctx: Context): (rows: EndpointRow[]) => Table {
  const { headers } = options;
  if (options.columns.length > 0) {
    const columns = options.columns.map((word) => columnOf(word, '--columns'));
    return (rows) => endpointColumnsTable(rows, columns, { headers });
  }
  if (options.output === 'wide')
    return (rows) => endpointWideTable(rows, { headers, width: ctx.out.columns });
  return (rows) => endpointTable(rows, { headers });
}
