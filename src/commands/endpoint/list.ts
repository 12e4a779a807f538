import { type Command, Option } from 'commander';
import { listEndpointRows, listEndpoints } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addClusterListFlags, type ClusterListFlags, meansObjects } from '../../cli/kube/target.ts';
import { addListOptions, type ListFlags, printList } from '../../cli/list.ts';
import { isStructured, LIST_FORMATS, outputOption, writeAnswer, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { compileSelector } from '../../model/selector.ts';
import { endpointTable } from '../../render/agent/endpoint.ts';
import { endpointColumnsTable, endpointWideTable } from '../../render/agent/endpoint-columns.ts';

interface EndpointListOptions extends ListFlags, ClusterListFlags {
  selector: string;
  notReady?: boolean;
}

/** Declares `endpoint list`. */
export function addEndpointListCommand(command: Command, ctx: Context): void {
  command
    .addOption(outputOption(...LIST_FORMATS))
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
      if (!(await meansObjects(options, ctx))) return runEndpointList(options, ctx);
      if (options.notReady)
        throw new UserError('--not-ready is for what an agent knows', {
          hint: 'Of objects: -o custom-columns=NAME:.metadata.name,STATE:.status.state',
        });
      const { printObjects } = await import('../../cli/kube/cluster-list.ts');
      await printObjects(command, 'endpoint', options, ctx);
    });
  addListOptions(command, { sortsOutput: true });
  addClusterListFlags(command);
}

/** Fetches, orders and prints the endpoints of the node. */
export async function runEndpointList(options: EndpointListOptions, ctx: Context): Promise<void> {
  const isWanted = filterOf(options);
  const agent = await ctx.agent();
  const refused = failed('cannot get endpoint list');
  const choose = async <R extends EndpointRow>(rows: R[]): Promise<R[]> =>
    await ordered(rows.filter(isWanted), options.sort);
  if (isStructured(options.output)) {
    const answer = await listEndpoints(agent).catch(refused);
    if (options.selector === '' && !options.notReady && options.sort.length === 0)
      return writeAnswer(ctx, options.output, answer);
    const chosen = (await choose(answer.decode())).map(({ document }) => document);
    return writeStructured(ctx, options.output, chosen, answer.type);
  }
  // Sorted already, also by columns that the table does not show.
  await printList(ctx, { ...options, sort: [] }, async () => {
    const rows = await choose((await listEndpointRows(agent).catch(refused)).decode());
    if (options.columns.length > 0 || options.output === 'name') return endpointColumnsTable(rows);
    return options.output === 'wide' ? endpointWideTable(rows, ctx.out.columns) : endpointTable(rows);
  });
}

/** What --selector and --not-ready leave of the list. */
function filterOf({ selector, notReady }: EndpointListOptions): (row: EndpointRow) => boolean {
  const matches = selector === '' ? undefined : compileSelector(selector);
  if (selector !== '' && !matches)
    throw new UserError(`--selector: "${selector}" is not a label selector`, {
      hint: 'Expected conditions joined by commas: key, !key, key=value, key!=value, key in (a,b), key notin (a,b).',
    });
  return (row) => (!matches || matches(row.labels)) && (!notReady || row.state !== 'ready');
}

async function ordered<R extends EndpointRow>(rows: R[], sort: readonly string[]): Promise<R[]> {
  if (sort.length === 0) return rows;
  const { arrange } = await import('../../render/text/columns.ts');
  const { blocks } = arrange(endpointColumnsTable(rows), { columns: [], sort, headers: true });
  const places = new Map(blocks.map(({ key }, at) => [key, at]));
  const place = ({ id }: EndpointRow) => places.get(String(id)) ?? 0;
  return rows.toSorted((a, b) => place(a) - place(b));
}
